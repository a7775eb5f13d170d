"""Writes tensorboard.bin with TensorBoard's own protobufs and record writer. Run once: pip install tensorboard; python tensorboard.py"""
import sys
from pathlib import Path

# This file's own name would hide the package.
here = Path(__file__).resolve().parent
sys.path = [p for p in sys.path if Path(p or ".").resolve() != here]

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.summary.writer.record_writer import RecordWriter


def scalars(values):
    return Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])


sample = Summary.Value(
    tag="sample",
    metadata=SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text")),
    tensor=TensorProto(
        dtype=DT_STRING,
        tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
        string_val=["    Call me Ishmæl.\n    ".encode()],
    ),
)
step = {
    "train/loss": 6.9375,
    "train/learning_rate": 1e-5,
    "train/grad_norm": 3.1,
    "train/tokens_per_second": 37000,
    "seconds/data": 0.001,
    "seconds/forward_backward": 0.05,
    "seconds/update": 0.01,
    "seconds/saving": 0.002,
}
evaluation = {"validation/loss": 3.1, "validation/perplexity": float("nan"), "validation/f1.macro": 0.5}
system = {
    "system/rss": 300_000_000,
    "system/heap_used": 20_000_000,
    "system/available_memory": 8_000_000_000,
    "system/cpu_percent": 187,
}
events = [
    Event(wall_time=1700000000.25, file_version="brain.Event:2"),
    Event(wall_time=1700000000.25, step=300, session_log=SessionLog(status=SessionLog.START)),
    Event(wall_time=1700000000.25, step=300, summary=scalars(step)),
    Event(wall_time=1700000000.25, step=300, summary=scalars(system)),
    Event(wall_time=1700000000.25, step=300, summary=scalars(evaluation)),
    Event(wall_time=1700000000.25, step=300, summary=Summary(value=[sample])),
]
with open(here / "tensorboard.bin", "wb") as file:
    writer = RecordWriter(file)
    for event in events:
        writer.write(event.SerializeToString())
