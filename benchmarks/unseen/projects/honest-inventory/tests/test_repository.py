import pytest

from inventory import repository


def test_add_and_get(session):
    repository.add_item(session, "PEN-1", "pen", 4)
    assert repository.get_item(session, "PEN-1").quantity == 4


def test_same_sku_twice(session):
    repository.add_item(session, "PEN-1", "pen")
    with pytest.raises(repository.Conflict):
        repository.add_item(session, "PEN-1", "other pen")


def test_list_is_sorted(session):
    for sku in ("ZZZ", "AAA", "MMM"):
        repository.add_item(session, sku, sku.lower())
    assert [item.sku for item in repository.list_items(session)] == ["AAA", "MMM", "ZZZ"]


def test_missing(session):
    with pytest.raises(repository.NotFound):
        repository.get_item(session, "NOPE")


@pytest.mark.parametrize("change, after", [(3, 7), (-4, 0), (0, 4)])
def test_adjust(session, change, after):
    repository.add_item(session, "PEN-1", "pen", 4)
    assert repository.adjust(session, "PEN-1", change).quantity == after


def test_adjust_below_zero(session):
    repository.add_item(session, "PEN-1", "pen", 4)
    with pytest.raises(repository.Conflict):
        repository.adjust(session, "PEN-1", -5)
