def total(prices):
    return sum(prices)


def discount(amount, percent):
    return amount - amount * percent / 100
