import threading
from collections.abc import Iterator

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from . import repository
from .database import make_sessions
from .schemas import Adjustment, ItemOut, NewItem, Problem, Sku

MISSING = {404: {"model": Problem}}
CLASH = {409: {"model": Problem}}
BAD = {400: {"model": Problem}}


def create_app(url: str | None = None) -> FastAPI:
    app = FastAPI(title="Inventory", version="0.3.0")
    sessions = make_sessions(url)
    lock = threading.Lock()

    def session() -> Iterator[Session]:
        with lock, sessions() as one:
            try:
                yield one
                one.commit()
            except repository.NotFound as gone:
                one.rollback()
                raise HTTPException(404, f"no {gone}") from gone
            except repository.Conflict as clash:
                one.rollback()
                raise HTTPException(409, str(clash)) from clash

    @app.exception_handler(405)
    def wrong_method(request: Request, _: HTTPException) -> JSONResponse:
        path, allowed = request.url.path, set()
        for route in app.router.routes:
            pattern = getattr(route, "path_regex", None)
            if pattern is not None and pattern.match(path):
                allowed |= set(route.methods or ())
        return JSONResponse({"detail": "Method Not Allowed"}, 405, {"allow": ", ".join(sorted(allowed))})

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/items")
    def items(db: Session = Depends(session)) -> list[ItemOut]:
        return [ItemOut.model_validate(item) for item in repository.list_items(db)]

    @app.post("/items", status_code=201, responses={**BAD, **CLASH})
    def new_item(body: NewItem, db: Session = Depends(session)) -> ItemOut:
        return ItemOut.model_validate(repository.add_item(db, body.sku, body.name, body.quantity))

    @app.get("/items/{sku}", responses=MISSING)
    def item(sku: Sku, db: Session = Depends(session)) -> ItemOut:
        return ItemOut.model_validate(repository.get_item(db, sku))

    @app.post("/items/{sku}/adjust", responses={**BAD, **MISSING, **CLASH})
    def adjust(sku: Sku, body: Adjustment, db: Session = Depends(session)) -> ItemOut:
        return ItemOut.model_validate(repository.adjust(db, sku, body.change))

    return app
