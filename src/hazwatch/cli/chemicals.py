"""``hazwatch chemicals``: the safety knowledge base."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, help="化学品安全知识库")

_Json = Annotated[bool, typer.Option("--json", help="以 JSON 输出")]


@contextmanager
def _told() -> Iterator[None]:
    from hazwatch.chemicals.desk import UnknownSubstanceError

    try:
        yield
    except UnknownSubstanceError as error:
        typer.echo(f"错误:{error}", err=True)
        for candidate in error.candidates:
            typer.echo(f"  候选 {candidate}", err=True)
        raise typer.Exit(2) from error
    except ValueError as error:
        typer.echo(f"错误:{error}", err=True)
        raise typer.Exit(2) from error


def _print(data: Any) -> None:
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2))


@app.command("search")
def search(
    query: Annotated[str, typer.Argument(help="名称、别名、CAS、UN、拼音或文字,允许错字")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="最多几条")] = 10,
    as_json: _Json = False,
) -> None:
    """Find substances; slips of the keyboard are forgiven (查找物质)."""
    from hazwatch.chemicals import desk

    found = desk.search(query, limit)
    if as_json:
        _print(found)
    for hit in () if as_json else found:
        typer.echo(f"{hit['cas']:<12} {hit['name_zh']}  {hit['name_en']}  [{hit['by'] or '全文'}]")
    if not found:
        typer.echo("没有找到", err=True)
        raise typer.Exit(1)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="名称、别名或 CAS 号")],
    as_json: _Json = False,
) -> None:
    """Show the card of one substance (物质卡片)."""
    from hazwatch.chemicals import desk

    with _told():
        card = desk.card(desk.find(name))
    if as_json:
        _print(card)
        return
    lines = [
        f"{card['name_zh']}  {card['name_en']}  CAS {card['cas']}  UN {'、'.join(card['un']) or '未知'}",
        f"别名:{'、'.join(card['aliases']) or '—'}",
        f"名录:{'、'.join(flag['name'] for flag in card['flags']) or '—'}",
        f"GHS:{'、'.join(one['text'] for one in card['ghs']) or '未知'}",
    ]
    lines += [f"{p['name']}:{p['value']:g} {p['unit']}({p['source']})" for p in card["properties"]]
    pressure = card["vapour_pressure"]
    value = f"{pressure['kpa']:g} kPa" if pressure["kpa"] is not None else pressure["reason"]
    lines.append(f"蒸气压({pressure['celsius']:g} ℃):{value}")
    lines += [f"{e['kind']}:{e['value']:g} {e['unit']}({e['source']},把握 {e['certainty']})" for e in card["exposure"]]
    for topic, word in (("storage", "储存"), ("fire", "灭火"), ("first_aid", "急救")):
        lines += [f"{word}:{text}" for text in card["measures"][topic]]
    near, far = card["measures"]["isolation_m"], card["measures"]["isolation_fire_m"]
    lines.append(f"初始隔离 {_metres(near)};大火或罐体受火 {_metres(far)}")
    lines += [f"事故:{a['date']} {a['place']} {a['title']}" for a in card["accidents"]]
    lines.append(f"未知:{'、'.join(card['unknown']) or '无'}")
    typer.echo("\n".join(lines))


@app.command("react")
def react(
    names: Annotated[list[str], typer.Argument(help="两种以上物质")],
    as_json: _Json = False,
) -> None:
    """May these substances meet? The worst pair decides (相容性;退出码:0 相容,3 禁忌、注意或未知)."""
    from hazwatch.chemicals import desk

    with _told():
        found = desk.meet(names)
    if as_json:
        _print(found)
    else:
        typer.echo(f"结论:{found['verdict_zh']}")
        for pair in found["pairs"]:
            gases = f" 产生 {'、'.join(pair['gases'])}" if pair["gases"] else ""
            typer.echo(f"{pair['a']['name_zh']} + {pair['b']['name_zh']}:{pair['verdict_zh']}{gases}")
            for one in pair["findings"][:3]:
                if one["reason"] or one["effects"]:
                    typer.echo(f"  {one['a']} × {one['b']}:{'、'.join(one['effects'])} {one['reason']}")
        typer.echo(found["note"], err=True)
    if found["verdict"] != "compatible":
        raise typer.Exit(3)


@app.command("accidents")
def accidents(
    query: Annotated[str, typer.Argument(help="关键词,空格分开")] = "",
    as_json: _Json = False,
) -> None:
    """Well-known accidents with cause and lesson (事故案例)."""
    from hazwatch.chemicals import desk

    found = desk.accidents(query)
    if as_json:
        _print(found)
    for one in () if as_json else found:
        typer.echo(f"{one['date']} {one['place']} {one['title']}")
        for word, key in (("原因", "cause"), ("教训", "lesson"), ("来源", "source")):
            typer.echo(f"  {word}:{one[key]}")


@app.command("coverage")
def coverage(as_json: _Json = False) -> None:
    """How many substances have each field (覆盖率)."""
    from hazwatch.chemicals import desk

    found = desk.coverage()
    if as_json:
        _print(found)
        return
    total = found["substances"]
    typer.echo(f"物质 {total},事故 {found['accidents']},反应性基团 {found['groups']}")
    typer.echo(f"已判定基团对 {found['pairs_judged']}/{found['pairs']},其余为未知")
    for name, count in found["fields"].items():
        typer.echo(f"{name} {count}({count / total:.0%})")


def _metres(value: float | None) -> str:
    return "未知" if value is None else f"{value:g} m"
