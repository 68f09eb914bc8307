from anyseek.duplicates.stars import stars


def test_a_chain_is_no_group() -> None:
    near = {0: {1}, 1: {0, 2}, 2: {1, 3}, 3: {2}}
    found = stars([0, 1, 2, 3], lambda place, free: sorted(other for other in near[place] if free[other]))
    assert found == [(0, [1]), (2, [3])]


def test_the_best_takes_first_and_nothing_is_taken_twice() -> None:
    near = {0: {2}, 1: {2, 3}, 2: {0, 1}, 3: {1}}
    assert stars([1, 0, 2, 3], lambda place, free: sorted(other for other in near[place] if free[other])) == [(1, [2, 3])]


def test_nobody_has_a_group_of_its_own() -> None:
    assert stars([0, 1], lambda place, free: []) == []
    assert stars([], lambda place, free: []) == []
