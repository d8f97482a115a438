"""A Ray cluster of several nodes on this machine, led by lines on standard input, for tests of sweeps.

Usage: python -m tests.ray_cluster, then lines of JSON: {"add": {NAME: VALUE, ...}} adds a node whose
processes have these variables, and {"kill": true} kills the one that was added last.
The answer to each line is the address.
"""

import json
import sys

from ray.cluster_utils import Cluster

MEMORY = 100 * 2**20


def main() -> None:
    cluster = Cluster()
    # The head runs nothing, so that a node which is killed is none of its processes.
    cluster.add_node(num_cpus=0, object_store_memory=MEMORY, include_dashboard=False)
    nodes = []
    for line in sys.stdin:
        order = json.loads(line)
        if "add" in order:
            nodes.append(cluster.add_node(num_cpus=1, object_store_memory=MEMORY, env_vars=order["add"]))
            cluster.wait_for_nodes()
        else:
            cluster.remove_node(nodes.pop(), allow_graceful=False)
        print(f"address {cluster.address}", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
