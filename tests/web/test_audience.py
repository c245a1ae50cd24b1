"""Who hears what: the same as asking every page, at the cost of those who hear it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hazwatch.web.hub import Audience, Client

codes = st.sampled_from(["41", "42", "4101", "a"])
paths = st.lists(codes, max_size=3).map(lambda parts: "/" + "".join(f"{p}/" for p in parts))
pages = st.lists(st.tuples(paths, st.frozensets(st.integers(0, 20), max_size=4)), max_size=6)


@given(pages=pages, gone=st.integers(0, 5), path=paths, point=st.integers(0, 25))
def test_as_if_every_page_had_been_asked(pages, gone, path, point) -> None:
    audience = Audience()
    clients = [Client(scope, wanted) for scope, wanted in pages]
    for client in clients:
        audience.add(client)
    for client in clients[:gone]:
        audience.discard(client)
        audience.discard(client)
    here = clients[gone:]

    assert audience.clients == set(here)
    assert set(audience.of_path(path)) == {c for c in here if path.startswith(c.scope)}
    assert len(list(audience.of_path(path))) == len(set(audience.of_path(path))), "each once"
    assert set(audience.of_point(point)) == {c for c in here if point in c.wanted}
    asked = audience.asked(np.arange(26))
    assert asked.tolist() == [any(p in c.wanted for c in here) for p in range(26)]
