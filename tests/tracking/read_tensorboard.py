"""Prints what TensorBoard reads of a run directory, as JSON: scalars and texts by tag, each as [step, value]."""
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

accumulator = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "tensors": 0})
accumulator.Reload()
tags = accumulator.Tags()
texts = accumulator.PluginTagToContent("text") if tags["tensors"] else {}
print(
    json.dumps(
        {
            "scalars": {
                tag: [[event.step, event.value] for event in accumulator.Scalars(tag)] for tag in tags["scalars"]
            },
            "texts": {
                tag: [
                    [event.step, event.tensor_proto.string_val[0].decode()] for event in accumulator.Tensors(tag)
                ]
                for tag in texts
            },
        }
    )
)
