"""scripts/bench in small: it measures, and what it measures are whole calls."""

import pytest

from harness import bench
from harness.flood import tools


@pytest.fixture(scope="module", autouse=True)
def the_load():
    tools()


@pytest.mark.parametrize("scenario", bench.SCENARIOS)
def test_calls_are_measured(net, scenario):
    plan = bench.plan_of(["--seconds", "1", "--warmup", "0", "--users", "20",
                          scenario])
    results = bench.bench(plan, net)
    assert [name for _, name in results] == \
        [system.name for system in bench.systems()]
    for (run,) in results.values():
        assert run.done > 0 and run.failed == 0
        assert bench.cost(run) > 0 and run.memory_mb > 0
    lines = bench.table(results).split("\n")
    assert len(lines) == 1 + len(results)
    assert lines[1].endswith(" 1.00")


def test_wrong_answers_do_not_count(net, monkeypatch):
    """Callers whom the proxy does not know get no call through."""
    plan = bench.plan_of(["--seconds", "1", "--warmup", "0", "MESSAGE"])
    argv = bench.load_argv(net, "MESSAGE", plan)
    monkeypatch.setattr(bench, "load_argv", lambda *_: argv[:-1] + [
        "--users", "1000", "MESSAGE"])
    plan.users = 1
    run = bench.measure(bench.Sipbouncer, net, "MESSAGE", plan)
    assert run.failed > run.done


def test_what_is_not_a_scenario_is_refused(capsys):
    with pytest.raises(SystemExit):
        bench.plan_of(["CALLS"])
    assert "no such scenario: CALLS" in capsys.readouterr().err
