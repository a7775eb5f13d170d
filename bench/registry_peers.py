"""The same job with catalogue or stevedore: find the entry points of a group, then ask for one again and again."""
import json
import sys
import time

peer, name = sys.argv[1:]
started = time.perf_counter()
if peer == "catalogue":
    import catalogue
else:
    from stevedore import ExtensionManager
imported = time.perf_counter() - started

started = time.perf_counter()
if peer == "catalogue":
    registry = catalogue.create("bench_metrics", entry_points=True)
    found = len(registry.get_all())
    lookup = registry.get
else:
    registry = ExtensionManager("bench_metrics")
    found = len(registry.names())
    lookup = registry.__getitem__
first = time.perf_counter() - started

best = float("inf")
for times in (10, 100, 1_000, 10_000, 100_000):
    started = time.perf_counter()
    for _ in range(times):
        lookup(name)
    took = time.perf_counter() - started
    best = min(best, took / times)
    if took > 0.05:  # A lookup that reads the disk each time is measured with few.
        break
evaluated = sum(module.startswith("bench_plugin_") for module in sys.modules)
print(json.dumps({"imported": imported * 1e3, "found": found, "first": first * 1e3, "lookup": best * 1e9, "evaluated": evaluated}))
