"""A model folder with random weights in the exact layout of `stabilityai/stable-video-diffusion-img2vid`, small enough for a test."""

import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKLTemporalDecoder, EulerDiscreteScheduler, StableVideoDiffusionPipeline, UNetSpatioTemporalConditionModel
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

SIDE = 32
FRAMES = 4
CLIP_WIDTH = 32


def save_tiny_model(folder: Path, frames: int = FRAMES) -> None:
    """Pictures of 32x32 pixels, chunks of `frames` frames, about two million parameters."""
    torch.manual_seed(0)
    unet = UNetSpatioTemporalConditionModel(
        sample_size=SIDE // 2,
        in_channels=8,
        out_channels=4,
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
        block_out_channels=(32, 64),
        addition_time_embed_dim=16,
        projection_class_embeddings_input_dim=48,
        layers_per_block=1,
        cross_attention_dim=CLIP_WIDTH,
        num_attention_heads=(2, 4),
        num_frames=frames,
    )
    vae = AutoencoderKLTemporalDecoder(
        down_block_types=("DownEncoderBlock2D", "DownEncoderBlock2D"), block_out_channels=(32, 32), layers_per_block=1, latent_channels=4
    )
    vision = CLIPVisionConfig(
        hidden_size=CLIP_WIDTH,
        intermediate_size=37,
        projection_dim=CLIP_WIDTH,
        num_hidden_layers=1,
        num_attention_heads=4,
        image_size=224,
        patch_size=32,
    )
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        interpolation_type="linear",
        use_karras_sigmas=True,
        sigma_min=0.002,
        sigma_max=700.0,
        timestep_spacing="leading",
        timestep_type="continuous",
        steps_offset=1,
    )
    encoder = CLIPVisionModelWithProjection(vision)
    pipeline = StableVideoDiffusionPipeline(
        vae=vae, image_encoder=encoder, unet=unet, scheduler=scheduler, feature_extractor=CLIPImageProcessor()
    )
    pipeline.save_pretrained(folder, safe_serialization=True)


if __name__ == "__main__":
    save_tiny_model(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
