"""A client for a running `overtone serve`; it needs only the dependencies of the base installation.

    client = Client("http://127.0.0.1:8080")
    prediction = client.recognise("clip.wav")     # a `Prediction`, as from `overtone.load().recognise`
    table = client.timeline("talk.flac", "csv")   # bytes in any format; without a format, the decoded JSON

The client retries a request if the service is overloaded or the connection breaks. Idempotency keys prevent duplicate
jobs.
"""

import contextlib
import functools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from overtone._internal import request_parts
from overtone._internal.form_body import FormBody
from overtone._internal.request_parts import Source, add_reference, handle_error, job_path, make_query, open_source
from overtone._internal.service_requests import ServiceRequests
from overtone._internal.service_responses import to_prediction
from overtone.channels import MIX, Channel, parse_channel
from overtone.datatypes import Prediction
from overtone.each_channel import ChannelChoice, choose_channels
from overtone.errors import InputError, OvertoneError, ServiceError
from overtone.explanation import Explanation
from overtone.timeline_corrections import CorrectedSegment, Corrections

POLL_INTERVAL_S = 0.5


class Client:
    """A client of the HTTP service; threads may share one instance.

    Args:
        url: base URL of the service.
        api_key: API key, if the service requires one.
        timeout_s: timeout of a single request.
        retry_timeout_s: how long to retry while the service is overloaded or unreachable.

    Raises:
        InputError: `url` is not an HTTP URL.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        api_key: str | None = None,
        *,
        timeout_s: float = 60.0,
        retry_timeout_s: float = 60.0,
    ) -> None:
        self._requests = ServiceRequests(url, api_key, timeout_s, retry_timeout_s)

    @functools.cached_property
    def models(self) -> list[dict[str, Any]]:
        """The model cards of the service; the service uses the first model."""
        cards: list[dict[str, Any]] = json.loads(self._requests.send("GET", "/v1/models"))["models"]
        return cards

    def recognise(
        self,
        source: Source,
        *,
        channel: Channel = MIX,
        reference: Iterable[Source] = (),
        on_error: Callable[[OvertoneError], None] | None = None,
    ) -> Prediction:
        """Return the prediction for one clip.

        Args:
            source: path, bytes or file object.
            channel: of all files: "mix" for the mean of all channels, "left" or "right" of two, or a number from 1.
            reference: clips of the same speaker or recording, to which the prediction is adapted.
            on_error: called with the error of each reference clip that cannot be used, which is then left out; None
                raises the first one.

        Raises:
            InputError: the file cannot be read by the client, or not be processed by the service.
            OptionError: not a channel ("each" is one for `recognise_many`).
            ServiceError: the service cannot be reached, stays overloaded, or refuses the request.
        """
        choice = ChannelChoice(parse_channel(channel))
        with open_source(source) as (name, body), FormBody() as form:
            if add_reference(form, reference, on_error):
                form.add("file", name, body)
                form.finish()
                path = f"/v1/recognise?{make_query(choice)}"
                content = self._requests.send("POST", path, form.file, form.content_type)
            else:
                content = self._requests.send("POST", f"/v1/recognise?{make_query(choice, name=name)}", body)
        response = json.loads(content)
        for failure in response["failures"]:  # of the file itself, there is none: the service would return an error
            handle_error(InputError(failure["message"]), on_error)
        return self._to_prediction(response["predictions"][0])

    def explain(
        self,
        source: Source,
        *,
        emotion: str | None = None,
        start_s: float = 0.0,
        end_s: float | None = None,
        channel: Channel = MIX,
        reference: Iterable[Source] = (),
        on_error: Callable[[OvertoneError], None] | None = None,
    ) -> Explanation:
        """Return what made the prediction for one clip, as `overtone.load().explain` does.

        Args:
            source: as for `recognise`, like `channel`, `reference` and `on_error`.
            emotion: the class to explain; None for the predicted one.
            start_s: start of the part of the recording to explain.
            end_s: its end; None for the end of the recording.
            channel: likewise.
            reference: likewise.
            on_error: likewise.

        Raises:
            InputError, OptionError, ServiceError: as `recognise`.
        """
        parameters = {"emotion": emotion, "start_s": start_s, "end_s": end_s}
        query = make_query(
            ChannelChoice(parse_channel(channel)),
            **{name: str(value) for name, value in parameters.items() if value is not None},
        )
        with open_source(source) as (name, body), FormBody() as form:
            add_reference(form, reference, on_error)
            form.add("file", name, body)
            form.finish()
            content = self._requests.send("POST", f"/v1/explain?{query}", form.file, form.content_type)
        response = json.loads(content)
        for failure in response["failures"]:
            handle_error(InputError(failure["message"]), on_error)
        values = response["explanation"]
        return Explanation.from_values(values, self._to_prediction(values["prediction"]))

    def _to_prediction(self, values: Mapping[str, Any]) -> Prediction:
        return to_prediction(values, self.models[0].get("uncertain_below", 0.0))

    def recognise_many(
        self, sources: Iterable[Source], *, channel: Channel = MIX, channel_names: Sequence[str] = ()
    ) -> Iterator[Prediction | OvertoneError]:
        """Yield one prediction per source, in order; for a source that fails, yield the error instead.

        With the channel "each" there is one per channel of each source, which `Prediction.channel` names as
        `channel_names` or the library do, followed by the errors of its other channels.

        Raises:
            OptionError: not a channel, or names that are not valid or not needed.
        """
        choice = choose_channels(channel, channel_names)
        for source in request_parts.check_several(sources, "recognise_many"):
            try:
                with open_source(source) as (name, body):
                    path = f"/v1/recognise?{make_query(choice, name=name)}"
                    response = json.loads(self._requests.send("POST", path, body))
                yield from map(self._to_prediction, response["predictions"])
                yield from (InputError(failure["message"]) for failure in response["failures"])
            except OvertoneError as error:
                yield error

    def timeline(
        self,
        source: Source,
        format: str | None = None,
        *,
        csv_dialect: str = "",
        channel: Channel = MIX,
        channel_names: Sequence[str] = (),
        adapt: bool = True,
    ) -> Any:
        """Return the timeline of a recording of any length; waits for the job and deletes it afterwards.

        Args:
            source: path, bytes or file object.
            format: a format of `overtone timeline --format`, returned as bytes; None for the decoded JSON.
            csv_dialect: of the formats "csv" and "summary", as `overtone timeline --csv-dialect`; "" for the default.
            channel: as for `recognise`; or "each": each channel is a speaker, with segments of their own.
            channel_names: names of these speakers; by default "left" and "right" of two, else "channel-1", ...
            adapt: whether to adapt the recording to itself.

        Raises:
            InputError: the file cannot be read by the client, or not be processed by the service.
            OptionError: not a channel, or names that are not valid or not needed.
            ServiceError: the service cannot be reached, stays overloaded, or refuses the request.
        """
        job = self.submit_timeline(source, channel=channel, channel_names=channel_names, adapt=adapt)
        is_kept = False
        try:
            while job["state"] in ("queued", "running"):
                time.sleep(POLL_INTERVAL_S)
                job = self.job(job["id"])
            return self.job_timeline(job["id"], format, csv_dialect=csv_dialect)
        except InputError as error:
            is_kept = job["state"] == "done"  # such as an unknown format, which must not cost the work of the job
            if not is_kept:
                raise
            raise InputError(f"{error} (the timeline is kept: job_timeline({job['id']!r}) returns it)") from error
        finally:
            if not is_kept:
                with contextlib.suppress(ServiceError):  # the result matters more than the cleanup
                    self.delete_job(job["id"])

    def job_timeline(
        self, job_id: str, format: str | None = None, *, csv_dialect: str = "", corrected: bool = True
    ) -> Any:
        """Return the timeline of a finished job, as `timeline` does.

        Args:
            job_id: id of the job.
            format: as for `timeline`, like `csv_dialect`.
            csv_dialect: likewise.
            corrected: whether with the corrections of a person, if there are any; False for that of the model.

        Raises:
            InputError: the job failed, or there is no such format or dialect.
            ServiceError: there is no such job, or it is not finished; or as `timeline`.
        """
        parameters = {"format": format or "json", "corrected": str(corrected).lower()}
        query = urlencode(parameters | ({"csv_dialect": csv_dialect} if csv_dialect else {}))
        content = self._requests.send("GET", f"{job_path(job_id, 'timeline')}?{query}")
        return json.loads(content) if format is None else content

    def submit_timeline(
        self, source: Source, *, channel: Channel = MIX, channel_names: Sequence[str] = (), adapt: bool = True
    ) -> dict[str, Any]:
        """Submit a timeline job and return it without waiting; takes and raises the same as `timeline`."""
        choice = choose_channels(channel, channel_names)
        with open_source(source) as (name, body):
            query = make_query(choice, name=name, adapt=str(adapt).lower())
            job: dict[str, Any] = json.loads(self._requests.send("POST", f"/v1/timeline?{query}", body))
        return job

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job: its `state`, `processed_s` and `duration_s`; raises the same errors as `timeline`."""
        job: dict[str, Any] = json.loads(self._requests.send("GET", job_path(job_id)))
        return job

    def jobs(self) -> Iterator[dict[str, Any]]:
        """Yield the jobs of the API key, newest first, as `job` returns them.

        Raises:
            ServiceError: the service has no API keys, cannot be reached, stays overloaded, or refuses the request.
        """
        path: str | None = "/v1/jobs"
        while path:
            page = json.loads(self._requests.send("GET", path))
            yield from page["jobs"]
            path = page["next"] and f"/v1/jobs?{urlencode({'cursor': page['next']})}"

    def cancel_job(self, job_id: str) -> dict[str, Any]:
        """Stop a queued or running job and return it as `cancelled`; one that has ended is returned as it is."""
        job: dict[str, Any] = json.loads(self._requests.send("POST", job_path(job_id, "cancel")))
        return job

    def delete_job(self, job_id: str) -> None:
        """Delete a job in any state, with its recording and its timeline."""
        self._requests.send("DELETE", job_path(job_id))

    def corrections(self, job_id: str) -> Corrections:
        """Return the corrections of a finished job by a person, and their entity tag.

        Args:
            job_id: id of the job, as in `submit_timeline(...)["id"]`.

        Raises:
            ServiceError: there is no such job; or as `timeline`.
        """
        response = self._requests.exchange("GET", job_path(job_id, "corrections"))
        return Corrections(json.loads(response.content)["segments"], response.etag)

    def set_corrections(
        self, job_id: str, segments: Sequence[CorrectedSegment], *, if_match: str | None = None
    ) -> Corrections:
        """Store the corrections of a finished job, with which its timeline is written from now on, and return them.

        Args:
            job_id: id of the job.
            segments: all segments of the corrected timeline; none to remove the corrections.
            if_match: `Corrections.etag` of the corrections that these replace; None replaces any, also those that
                another client has made meanwhile.

        Raises:
            InputError: the segments do not fit the timeline.
            PreconditionFailedError: the corrections have been changed since; read them again, and merge yours.
            ServiceError: there is no such job, or it has no timeline; or as `timeline`.
        """
        path = job_path(job_id, "corrections")
        body = request_parts.corrections_body(segments)
        response = self._requests.exchange("PUT", path, body, "application/json", if_match or "")
        return Corrections(json.loads(body.getvalue())["segments"], response.etag)
