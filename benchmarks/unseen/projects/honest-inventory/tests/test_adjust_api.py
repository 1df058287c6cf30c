def test_adjust_up_and_down(client):
    client.post("/items", json={"sku": "PEN-1", "name": "pen", "quantity": 4})
    assert client.post("/items/PEN-1/adjust", json={"change": 2}).json()["quantity"] == 6
    assert client.post("/items/PEN-1/adjust", json={"change": -6}).json()["quantity"] == 0


def test_adjust_too_far(client):
    client.post("/items", json={"sku": "PEN-1", "name": "pen", "quantity": 4})
    assert client.post("/items/PEN-1/adjust", json={"change": -5}).status_code == 409


def test_adjust_missing(client):
    assert client.post("/items/NONE/adjust", json={"change": 1}).status_code == 404
