"""The queries of figures asked of a warehouse, all of a release at once: each mart is read once for many of them."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from etl.load.warehouse import Connection
from etl.publish import catalogue, queries
from etl.publish.figure import Figure, FigureSet

_CHUNK = 1000


def wrong_answers(connection: Connection, figures: FigureSet) -> tuple[int, list[str]]:
    """How many figures were asked for, and what was answered where it is not one row with the figure's value."""
    frozen = catalogue.frozen(figures)
    by_table: dict[str, list[tuple[Figure, queries.Query]]] = defaultdict(list)
    for figure in figures:
        query = queries.of(figure, frozen)
        if query is not None:
            by_table[query.table].append((figure, query))
    wrong = []
    for asked in by_table.values():
        for (figure, query), rows in zip(asked, _answers(connection, [q for _, q in asked]), strict=True):
            if [says(figure, row) for row in rows] != [True]:
                wrong.append(
                    f"{figure.key}: {figure.text if figure.value is None else figure.value}; {rows}; {query.text}"
                )
    return sum(map(len, by_table.values())), wrong


def says(figure: Figure, found: str | None) -> bool:
    """Whether an answer as text is the figure's value, to the last digit."""
    if figure.unit in ("text", "date"):
        return found == figure.text
    return found == figure.value if found is None or figure.value is None else Decimal(found) == figure.value


def _answers(connection: Connection, asked: list[queries.Query]) -> list[list[str | None]]:
    """All rows of each query of one mart."""
    found: list[list[str | None]] = []
    for start in range(0, len(asked), _CHUNK):
        own = [
            f"select {number} as number, array(select ({q.column})::text from held"
            + (f" where {' and '.join(q.conditions)}" if q.conditions else "")
            + f"{q.tail}) as found"
            for number, q in enumerate(asked[start : start + _CHUNK])
        ]
        statement = f"with held as materialized (select * from {asked[0].table}) {' union all '.join(own)} order by 1"
        found += [rows for _, rows in connection.execute(statement.encode())]
    return found
