"""What scripts/demo --cluster shows: two instances, one Redis."""

import sys
import tempfile

from . import sip
from .check import is_stale
from .cluster import Cluster
from .demo import reasons_of, replay, seen_by_phones, show
from .net import Nets
from .scene import SDP, call

BOB = "sip:bob@example.com"


def who_is_who(cluster):
    host = cluster.net.host
    print("""
  alice    %-12s a phone, with a password
  mallory  %-12s a stranger, who overhears alice
  a        %-12s sipbouncer
  b        %-12s sipbouncer, with the same users, key and Redis
  redis    %-12s what was used, and which memory knows it
  pbx      %-12s scripted; it knows no passwords
""" % (host(10), host(66), cluster.a.host, cluster.b.host, host(20), host(5)))


def hang_up(alice, pbx):
    alice.bye()
    alice.expect(407)
    alice.answer()
    pbx.expect("BYE")
    pbx.reply(200)
    alice.expect(200)


def answered_elsewhere(cluster, alice, pbx):
    """The 407 comes from a, the answer goes to b."""
    alice.send("INVITE", BOB, body=SDP)
    alice.expect(407)
    invite = alice.answer(flow=cluster.b.flow(alice))
    pbx.expect("INVITE")
    pbx.reply(180)
    alice.expect(180)
    pbx.reply(200, body=SDP)
    alice.expect(200)
    alice.ack()
    pbx.expect("ACK")
    return invite


def refused_by_both(cluster, mallory, overheard):
    for one in cluster:
        refused = replay(mallory, overheard, one.flow(mallory))
        assert is_stale(refused), "%s did not know the replay" % one.name


def play(cluster, alice, mallory, pbx):
    note = cluster.ladder.note
    note("alice calls; a asks who she is, and she answers at b")
    first = answered_elsewhere(cluster, alice, pbx)
    note("mallory sends the INVITE that she overheard, to both")
    refused_by_both(cluster, mallory, first)
    note("Redis is killed in the middle of the call, which ends as it should")
    cluster.redis.kill()
    cluster.wait_local()
    hang_up(alice, pbx)
    note("and alice calls again, staying with a, which counts by itself")
    call(alice, pbx)
    second = alice.invite
    hang_up(alice, pbx)
    note("mallory tries both calls, at both")
    refused_by_both(cluster, mallory, first)
    refused_by_both(cluster, mallory, second)
    note("Redis is back, and empty")
    cluster.redis.start()
    cluster.wait_shared()
    refused_by_both(cluster, mallory, first)
    refused_by_both(cluster, mallory, second)
    note("alice's next call is asked by a and answered at b again")
    answered_elsewhere(cluster, alice, pbx)


def reasons(cluster):
    """Of what stands in the ladder: the harness asks more than that."""
    shown = {sip.Message.parse(data).call_id
             for _, sender, _, data in cluster.ladder.steps if sender}
    return {one.name: [x["reason"] for x in one.log.find(status="407")
                       if shown & set(x.values())] for one in cluster}


def main():
    nets = Nets()               # which keeps others away while it lives
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(folder, nets.next(), 0)
        try:
            cluster.start(store={"on_failure": "local"})
            who_is_who(cluster)
            play(cluster, cluster.alice(), cluster.mallory(), cluster.pbx())
        except AssertionError as why:
            print("FAILED: %s" % why)
            return 1
        finally:
            show(list(seen_by_phones(cluster)), reasons(cluster))
            cluster.close()
    print("Every call went through, at either instance, with Redis and "
          "without;\nevery replay was refused by both.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
