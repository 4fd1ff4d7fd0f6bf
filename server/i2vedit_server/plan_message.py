"""The core's memory plan as the wire's message."""

from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit_core.plan import MemoryPlan, MemoryStage, to_dict
from i2vedit_core.settings import MapStore

STAGES: dict[MemoryStage, pb.MemoryPlan.Stage.ValueType] = {
    MemoryStage.ENCODE: pb.MemoryPlan.STAGE_ENCODE,
    MemoryStage.INVERT: pb.MemoryPlan.STAGE_INVERT,
    MemoryStage.TRAIN: pb.MemoryPlan.STAGE_TRAIN,
    MemoryStage.EDIT: pb.MemoryPlan.STAGE_EDIT,
    MemoryStage.DECODE: pb.MemoryPlan.STAGE_DECODE,
}
MAP_STORES: dict[MapStore, pb.MemoryPlan.MapStore.ValueType] = {
    MapStore.REPLAY: pb.MemoryPlan.MAP_STORE_REPLAY,
    MapStore.RAM: pb.MemoryPlan.MAP_STORE_RAM,
    MapStore.DISK: pb.MemoryPlan.MAP_STORE_DISK,
}


def plan_message(plan: MemoryPlan) -> pb.MemoryPlan:
    told = to_dict(plan)
    peaks = [pb.MemoryPlan.StagePeak(stage=STAGES[stage], peak_bytes=peak) for stage, peak in plan.peak_bytes.items()]
    return pb.MemoryPlan(
        width=plan.request.width,
        height=plan.request.height,
        frame_count=plan.request.frames or plan.architecture.frames,
        free_bytes=plan.memory.free_bytes,
        total_bytes=plan.memory.total_bytes,
        stages=peaks,
        checkpointing=plan.options.checkpointing,
        offload=plan.options.offload,
        decode_frame_count=plan.options.decode_frames,
        map_store=MAP_STORES[plan.options.maps],
        fits=plan.fits,
        fitting_width=told["fitting_width"],
        fitting_height=told["fitting_height"],
        advice=told["advice"],
    )
