from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def whole(value: object) -> object:
    """JSON knows one kind of number: 3.0 is a whole number, too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(whole)]
SKU = r"^[A-Z0-9-]{3,20}$"
Sku = Annotated[str, Path(pattern=SKU)]


class NewItem(BaseModel):
    model_config = ConfigDict(strict=True)

    sku: str = Field(pattern=SKU)
    name: str = Field(min_length=1, max_length=80)
    quantity: Whole = Field(default=0, ge=0, le=1_000_000)


class ItemOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    sku: str
    name: str
    quantity: int


class Adjustment(BaseModel):
    model_config = ConfigDict(strict=True)

    change: Whole = Field(ge=-1_000_000, le=1_000_000)


class Problem(BaseModel):
    detail: str
