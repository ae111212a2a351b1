from __future__ import annotations

from itbench.model.guess import guess


def test_the_nearest_name_is_guessed_and_nothing_where_none_is_like_it():
    assert guess("orcale", ["oracle", "nop"]) == "Did you mean 'oracle'? "
    assert guess("xyz", ["oracle", "nop"]) == ""
    assert guess("nop", []) == ""
