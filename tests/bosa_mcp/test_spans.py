"""OpenTelemetry hears of each tool call: one span, with what only we know of it."""

from collections.abc import Generator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from .conftest import KEY, TOKEN, Connect, answer, refusal
from .scripted_api import ScriptedApi, fails, says, takes


@pytest.fixture(scope="module")
def provider() -> TracerProvider:
    """A process has one, for good."""
    provider = TracerProvider()
    trace.set_tracer_provider(provider)
    return provider


@pytest.fixture
def exporter(provider: TracerProvider) -> Generator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter
    exporter.shutdown()


def only(exporter: InMemorySpanExporter) -> ReadableSpan:
    """The span of the one tool call."""
    server = (span for span in exporter.get_finished_spans() if span.kind is trace.SpanKind.SERVER)
    [span] = [span for span in server if span.name.startswith("tools/call")]
    return span


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    api.offer("shop", "find_goods", takes(name={"type": "string"}))
    api.offer("shop", "delete_goods", takes("id", id={"type": "string"}))
    return api


async def test_a_call_is_one_span(shop: ScriptedApi, connect: Connect, exporter: InMemorySpanExporter) -> None:
    shop.answer("shop/find_goods", fails(429, headers={"retry-after": "0"}), says([1]))
    async with connect(shop.url) as client:
        await answer(client, "shop_find_goods", name="a value")
    span = only(exporter)
    assert span.name == "tools/call shop_find_goods"
    assert span.status.is_ok
    assert (
        dict(span.attributes or {}).items()
        >= {
            "mcp.method.name": "tools/call",
            "gen_ai.tool.name": "shop_find_goods",
            "bosa.connector": "shop",
            "bosa.action": "find_goods",
            "bosa.effect": "read",
            "bosa.attempts": 2,
            "bosa.pages": 1,
            "bosa.api.status": 200,
            "bosa.api.bytes": len('{"data":[1],"meta":null}'),
            "bosa.result.bytes": len('{"data":[1],"meta":null}'),
        }.items()
    )
    assert "bosa.error.kind" not in (span.attributes or {})


async def test_a_call_that_fails_says_how(shop: ScriptedApi, connect: Connect, exporter: InMemorySpanExporter) -> None:
    shop.answer("shop/delete_goods", fails(403, f"Not with {KEY} and {TOKEN}."))
    async with connect(shop.url) as client:
        await refusal(client, "shop_delete_goods", id="7291827")
    span = only(exporter)
    assert not span.status.is_ok
    attributes = dict(span.attributes or {})
    assert [attributes["error.type"], attributes["bosa.error.kind"]] == ["tool_error", "forbidden"]
    assert [attributes["bosa.effect"], attributes["bosa.api.status"]] == ["delete", 403]
    told = span.to_json()
    assert not any(secret in told for secret in (KEY, TOKEN, "7291827"))
