from charbot.config import ChatSettings
from charbot.generation.bench import bench_reply
from charbot.generation.persona import Persona
from charbot.personas.library import Library


def test_a_bench_has_its_figures(shared_library: Library) -> None:
    persona = Persona(shared_library, "ann")
    found = bench_reply(persona, ["Hi", "More tea?", "Bye"], 1, ChatSettings(candidates=2, max_words=4))
    assert 0 < found["median_ms"] <= found["95th_percentile_ms"]
    assert found["replies_per_second_at_64"] > 0
    assert found["step_gflops"] < found["peak_gflops"]
    assert found["memory_mb"] > 50
