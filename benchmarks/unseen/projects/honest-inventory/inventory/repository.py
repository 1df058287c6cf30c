from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import Item

LIMIT = 1_000_000


class NotFound(Exception):
    pass


class Conflict(Exception):
    pass


def list_items(session: Session) -> list[Item]:
    return list(session.scalars(select(Item).order_by(Item.sku).limit(200)))


def get_item(session: Session, sku: str) -> Item:
    item = session.get(Item, sku)
    if item is None:
        raise NotFound(sku)
    return item


def add_item(session: Session, sku: str, name: str, quantity: int = 0) -> Item:
    if session.get(Item, sku) is not None:
        raise Conflict(f"{sku} exists")
    item = Item(sku=sku, name=name, quantity=quantity)
    session.add(item)
    session.flush()
    return item


def adjust(session: Session, sku: str, change: int) -> Item:
    item = get_item(session, sku)
    after = item.quantity + change
    if not 0 <= after <= LIMIT:
        raise Conflict(f"{sku}: {after} is not a possible stock")
    item.quantity = after
    session.flush()
    return item
