"""The fields `channel` and `channel_names` of a request, of a form or of the query -> a choice of channels."""

from collections.abc import Mapping

from fastapi import Request

from overtone.channels import MIX
from overtone.each_channel import ChannelChoice, choose_channels, parse_names
from overtone.errors import OptionError
from overtone.service.api.errors import ApiError

FIELDS = ("channel", "channel_names")


def read_channel_choice(request: Request, form: Mapping[str, str]) -> ChannelChoice:
    """Return the channels that a request asks for; the mean of all by default.

    Args:
        request: the request, whose query may have these fields too.
        form: the texts of its form.

    Raises:
        ApiError: a field is given twice, or its value is not valid.
    """
    values: dict[str, str] = {}
    for source in (request.query_params, form):
        for name in FIELDS:
            if name in source and name in values:
                raise ApiError("invalid_parameter", f"{name}: given twice, in the query and in the form; give it once")
            if name in source:
                values[name] = source[name]
    try:
        names = parse_names(values["channel_names"]) if "channel_names" in values else ()
        return choose_channels(values.get("channel", MIX), names)
    except OptionError as error:
        raise ApiError("invalid_parameter", str(error)) from error


def check_not_each(choice: ChannelChoice, field: str) -> None:
    """Check that a file of another field can be combined with the channels.

    Args:
        choice: the channels.
        field: name of the field, of which the request has a file.

    Raises:
        ApiError: each channel is a speaker, so that the file would have to be about all of them.
    """
    if choice.is_each:
        raise ApiError(
            "invalid_parameter", f"{field}: cannot be combined with channel each, whose channels are different speakers"
        )
