from shop import price


def test_total():
    assert price.total([1, 2, 3]) == 6


def test_discount():
    assert price.discount(100, 10) == 90
