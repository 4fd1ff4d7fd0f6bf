"""The bundled mini model: the shapes of its parts as they are before training, and its folder afterwards."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import AutoencoderKLTemporalDecoder, EulerDiscreteScheduler, UNetSpatioTemporalConditionModel
from diffusers.models.resnet import ResnetBlock2D, TemporalResnetBlock
from diffusers.models.transformers.transformer_temporal import TransformerSpatioTemporalModel
from torch import nn
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from i2vedit_core.backbone import Backbone

FRAMES = 14
CONTEXT = 64
LATENT_CHANNELS = 12


def new_autoencoder() -> AutoencoderKLTemporalDecoder:
    """SVD's autoencoder in small; nearly deterministic, and blind to time, before it is trained."""
    vae = AutoencoderKLTemporalDecoder(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 3,
        block_out_channels=(64, 64, 128),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        sample_size=64,
    )
    with torch.no_grad():  # nearly deterministic from the start: the log-variance would begin as loud as the signal
        vae.quant_conv.bias[LATENT_CHANNELS:] = -10.0
        vae.quant_conv.weight[LATENT_CHANNELS:] = 0.0
        for module in vae.decoder.modules():
            if isinstance(module, nn.Conv3d):  # single frames never train the taps before and after: they must not begin as noise
                middle = module.kernel_size[0] // 2
                module.weight[:, :, :middle] = 0.0
                module.weight[:, :, middle + 1 :] = 0.0
    return vae


def new_unet() -> UNetSpatioTemporalConditionModel:
    """SVD's UNet in small. It begins as a path from what is given to the output: every residual branch starts at zero.

    The classes normalise in 32 groups. Of a group with two channels, normalisation leaves no level at all, so the picture's colours
    would be lost before the output: the widest level has three, two of them a pair of opposite sign and one at rest.
    """
    unet = UNetSpatioTemporalConditionModel(
        sample_size=16,
        in_channels=2 * LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
        block_out_channels=(96, 128, 192),
        addition_time_embed_dim=32,
        projection_class_embeddings_input_dim=96,
        layers_per_block=1,
        cross_attention_dim=CONTEXT,
        transformer_layers_per_block=1,
        num_attention_heads=(3, 4, 6),
        num_frames=FRAMES,
    )
    with torch.no_grad():
        for module in unet.modules():
            if isinstance(module, ResnetBlock2D | TemporalResnetBlock):
                _silence(module.conv2)
            if isinstance(module, TransformerSpatioTemporalModel):
                _silence(module.proj_out)
        _open_path(unet)
    return unet


def _open_path(unet: UNetSpatioTemporalConditionModel) -> None:
    """Lets each input channel through, as the pair of one group, to the last block and, for the condition, on to the output."""
    conv_in, shortcut, conv_out = unet.conv_in, unet.up_blocks[-1].resnets[-1].spatial_res_block.conv_shortcut, unet.conv_out
    for channel in range(2 * LATENT_CHANNELS):
        group = slice(3 * channel, 3 * channel + 3)
        conv_in.weight[group] = 0.0
        conv_in.weight[group, channel, 1, 1] = torch.tensor([1.0, -1.0, 0.0])
        conv_in.bias[group] = torch.tensor([0.0, 0.0, 1.0])
    width = conv_in.out_channels
    shortcut.weight[:, -width:, 0, 0] = torch.eye(width)
    conv_out.weight *= 0.1
    for channel in range(LATENT_CHANNELS):
        first = 3 * (LATENT_CHANNELS + channel)
        conv_out.weight[channel, first : first + 2, 1, 1] = torch.tensor([-0.4, 0.4])


def _silence(layer: nn.Module) -> None:
    for weight in layer.parameters():
        weight.zero_()


def new_image_encoder() -> CLIPVisionModelWithProjection:
    config = CLIPVisionConfig(
        hidden_size=96,
        intermediate_size=192,
        num_hidden_layers=3,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
        projection_dim=CONTEXT,
    )
    return CLIPVisionModelWithProjection(config)


def new_scheduler() -> EulerDiscreteScheduler:
    """SVD's configuration with a shorter grid: at 64 pixels, sigma 80 already drowns everything."""
    return EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        interpolation_type="linear",
        use_karras_sigmas=True,
        sigma_min=0.002,
        sigma_max=80.0,
        timestep_spacing="leading",
        timestep_type="continuous",
        steps_offset=1,
    )


def export(backbone: Backbone, target: Path) -> None:
    """A diffusers folder in SVD's own layout, float16 safetensors, with a CLIP preprocessor file and our recommended LoRA steps."""
    target.mkdir(parents=True, exist_ok=True)
    for part, module in (("unet", backbone.unet), ("vae", backbone.vae), ("image_encoder", backbone.image_encoder)):
        module.half().save_pretrained(target / part, variant="fp16")
    backbone.scheduler.save_pretrained(target / "scheduler")
    _write(target / "feature_extractor" / "preprocessor_config.json", {"image_mean": OPENAI_CLIP_MEAN, "image_std": OPENAI_CLIP_STD})
    index = {
        "_class_name": "StableVideoDiffusionPipeline",
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
        "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
        "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "unet": ["diffusers", "UNetSpatioTemporalConditionModel"],
        "vae": ["diffusers", "AutoencoderKLTemporalDecoder"],
    }
    _write(target / "model_index.json", index)
    _write(target / "i2vedit.json", {"lora_steps": 20, "guidance": [1.0, 1.0]})


def _write(path: Path, content: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
