"""The same job with catalogue or stevedore: find the entry points of a group, then ask for one a million times."""
import importlib.metadata
import json
import sys
import time

LOOKUPS = 1_000_000

peer, name = sys.argv[1:]
if name == "--version":
    print(json.dumps({"version": importlib.metadata.version(peer), "python": sys.version.split()[0]}))
    sys.exit()

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

# Of a lookup that takes long, fewer are done, and the time is scaled to a million.
done = 0
started = time.perf_counter()
took = 0
while done < LOOKUPS and took < 2:
    for _ in range(1000):
        lookup(name)
    done += 1000
    took = time.perf_counter() - started
evaluated = sum(module.startswith("bench_plugin_") for module in sys.modules)
print(
    json.dumps(
        {
            "imported": imported * 1e3,
            "found": found,
            "first": first * 1e3,
            "million": took * 1e3 * LOOKUPS / done,
            "done": done,
            "evaluated": evaluated,
        }
    )
)
