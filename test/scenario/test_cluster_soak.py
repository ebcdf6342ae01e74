"""scripts/soak in small."""

from harness.soak import plan_of, soak


def test_a_soak_with_redis_restarted(cluster):
    cluster.start(log={"level": "notice"}, timers={"t1": "500ms"})
    plan = plan_of(["--requests", "3000", "--restarts", "2"])
    assert soak(cluster, plan) == (0, 0)


def test_a_soak_of_three_without_trouble(cluster):
    cluster.start(3, log={"level": "notice"}, timers={"t1": "500ms"})
    plan = plan_of(["--requests", "1500", "--restarts", "0",
                    "--in-flight", "64", "--replays", "2"])
    assert soak(cluster, plan) == (0, 0)
    for one in cluster:
        assert not one.log.find(event="nonce.redis.down")
