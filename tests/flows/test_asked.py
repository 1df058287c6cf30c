"""What a flow is asked for reaches it whole, and Prefect's database without credentials."""

from contexts.spec.request import RunRequest
from flows.asked import asking, meant

TOKEN = "Zq8-internal-" + "7f3a9c1e5b2d"
REQUEST = RunRequest(spec="plait.yaml", repository=f"https://somebody:{TOKEN}@127.0.0.1:1/app.git", rerun=("api",))


def test_the_password_in_a_repositorys_url_is_no_parameter_of_a_flow_run_and_reaches_the_flow_all_the_same():
    with asking(REQUEST) as shown:
        assert TOKEN not in repr(shown)
        given = RunRequest.model_validate(shown.model_dump())
        assert meant(given) == REQUEST
    assert meant(given) == given


def test_a_flow_that_was_given_something_else_goes_by_what_it_was_given():
    other = RunRequest(workflow_id="other")
    with asking(REQUEST):
        assert meant(other) == other
