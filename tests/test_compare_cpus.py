"""A comparison of CPUs that lacks a result, or has two, does not end well."""

from tools.compare_cpus import differing, rows


def test_one_hash_on_all_cpus_is_no_difference() -> None:
    assert [] == differing(rows([{"a": "1", "b": "2"}, {"b": "2", "a": "1"}]))


def test_another_hash_is_a_difference_unless_it_is_known_to_differ() -> None:
    table = rows([{"a": "1", "(b)": "2"}, {"a": "3", "(b)": "4"}])

    assert {"a": ["1", "3"], "(b)": ["2", "4"]} == table
    assert ["a"] == differing(table)


def test_a_result_that_any_cpu_did_not_give_is_a_difference_even_where_that_is_the_first() -> None:
    table = rows([{"a": "1"}, {"a": "1", "b": "2", "(c)": "3"}])

    assert {"a": ["1", "1"], "b": ["-", "2"], "(c)": ["-", "3"]} == table
    assert ["b", "(c)"] == differing(table)
