"""Runs the measurements that are named, or all, and keeps their figures."""
import json, os, sys

import bl

bl.netns()

import calls, cluster, commit, page, relay, replication, ringing, waiting

STEPS = {"calls": calls.measure, "ringing": ringing.measure, "relay": relay.measure, "waiting": waiting.measure, "commit": commit.measure, "cluster": cluster.measure,
         "replication": replication.measure, "takeover": replication.takeover}


def main():
    wanted = sys.argv[1:] or list(STEPS)
    kept = os.environ["BENCH_TARGET"] + "/bench/results.json"
    results = json.load(open(kept)) if os.path.exists(kept) else {}
    if not sys.argv[1:]:
        results = {}
    for name in wanted:
        print(f"== {name}: {STEPS[name].__globals__['__doc__']}", flush=True)
        yardstick = [bl.calib(), bl.others_busy()]
        results[name] = {"measured": page.now(), "figures": STEPS[name](), "yardstick": yardstick}
        with open(kept, "w") as file:
            json.dump(results, file, indent=1)
    page.write(results)


main()
