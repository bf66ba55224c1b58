"""Many clips -> a prediction for each, or for each of its channels; the errors of those that cannot be recognised."""

from collections.abc import Callable, Iterable, Iterator

from overtone.audio.source import Source
from overtone.datatypes import Prediction, Waveform
from overtone.each_channel import ChannelChoice
from overtone.errors import OvertoneError


def recognise_all(
    recognise: Callable[..., Prediction], sources: Iterable[Source | Waveform], choice: ChannelChoice
) -> Iterator[Prediction | OvertoneError]:
    """Yield one prediction per source, in order, or one per channel of it; an error in the place of a failed one.

    Args:
        recognise: `overtone.inference.recogniser.Recogniser.recognise`.
        sources: the clips.
        choice: the channels.
    """
    for source in sources:
        try:
            if choice.is_each:
                from overtone.inference.channel_speakers import recognise_channels

                yield from recognise_channels(recognise, source, choice)
            else:
                yield recognise(source, channel=choice.channel)
        except OvertoneError as error:
            yield error
