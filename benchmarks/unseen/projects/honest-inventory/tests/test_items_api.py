PEN = {"sku": "PEN-1", "name": "pen", "quantity": 4}


def test_health(client):
    assert client.get("/health").json() == {"status": "ok"}


def test_create_and_read(client):
    assert client.post("/items", json=PEN).status_code == 201
    assert client.get("/items/PEN-1").json() == PEN
    assert client.get("/items").json() == [PEN]


def test_create_twice(client):
    client.post("/items", json=PEN)
    assert client.post("/items", json=PEN).status_code == 409


def test_bad_sku(client):
    assert client.post("/items", json={**PEN, "sku": "no"}).status_code == 422


def test_wrong_method_names_all_that_are_right(client):
    answer = client.put("/items")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"


def test_missing_item(client):
    answer = client.get("/items/NONE")
    assert answer.status_code == 404
    assert answer.json() == {"detail": "no NONE"}
