"""Minutes, and how they are written."""


def parse_time(text: str) -> int:
    """Minutes since midnight: "09:30" is 570."""
    hours, separator, minutes = text.partition(":")
    if not separator or not (hours.isdigit() and minutes.isdigit()) or len(minutes) != 2:
        raise ValueError(f"not a time: {text}")
    if int(hours) > 24 or int(minutes) > 59 or (int(hours) == 24 and int(minutes)):
        raise ValueError(f"not a time: {text}")
    return int(hours) * 60 + int(minutes)


def span(start: str, end: str) -> int:
    minutes = parse_time(end) - parse_time(start)
    if minutes <= 0:
        raise ValueError(f"{start} to {end} is no span")
    return minutes


def show(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"
