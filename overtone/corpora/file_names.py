"""Parses the names of corpus files: one `FileNameScheme` says how a corpus encodes emotion, speaker and sentence."""

import itertools
import re
import string
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from overtone.corpora.metadata import CorpusInfo, CorpusScan
from overtone.corpora.scan import CLIP_SUFFIXES, scan_folder
from overtone.datatypes import Utterance

Fields = dict[str, str]
"""The fields of a file name: name of the group in the pattern -> code; "stem" -> the name without suffix."""


@dataclass(frozen=True, kw_only=True)
class FileNameScheme:
    """How the file names of a corpus encode its clips; the folder of a file does not matter.

    A field with a table of codes must have one of them; any other field only has to match the pattern.

    Attributes:
        info: the corpus.
        pattern: regular expression of a stem (a name without suffix). Each field is a named group: "emotion" and
            "speaker", and optionally "sentence", "intensity", "repetition" and others. If "speaker" does not match,
            the speaker is the name of the file's folder.
        emotions: code -> emotion.
        unmapped_emotions: codes of emotions outside the vocabulary, whose clips are left out.
        clip: returns the name of the clip, which does not depend on where the file is.
        genders: speaker -> "female", "male" or ""; empty for any speaker.
        intensities: code -> intensity.
        repetitions: code -> number of the repetition.
        codes: valid codes of other fields.
        sentence: returns the sentence; by default the code itself.
        exclude: returns a reason to leave out a file whose name is valid, or None.
        corrections: misspelt stems, as published -> what they should be.
        lower_case: whether stems are converted to lower case first.
        other_files: names of other published files -> reason to leave them out.
        suffixes: suffixes of audio files, in lower case.
        all_stems: template of a stem with the names of fields in braces. Every combination of their codes that is not
            excluded is a clip of the complete corpus; "" if the complete list of clips is unknown.
    """

    info: CorpusInfo
    pattern: str
    emotions: Mapping[str, str]
    clip: Callable[[Fields], str]
    unmapped_emotions: Collection[str] = ()
    genders: Mapping[str, str] = field(default_factory=dict)
    intensities: Mapping[str, str] = field(default_factory=dict)
    repetitions: Mapping[str, int] = field(default_factory=dict)
    codes: Mapping[str, Collection[str]] = field(default_factory=dict)
    sentence: Callable[[Fields], str] = lambda fields: fields.get("sentence", "")
    exclude: Callable[[Path, Fields], str | None] = lambda path, fields: None
    corrections: Mapping[str, str] = field(default_factory=dict)
    lower_case: bool = False
    other_files: Mapping[str, str] = field(default_factory=dict)
    suffixes: tuple[str, ...] = CLIP_SUFFIXES
    all_stems: str = ""

    def read(self, folder: Path) -> CorpusScan:
        """Return the clips in a folder, at any depth, and the files that were left out; see `scan.scan_folder`.

        Raises:
            CorpusError: the folder does not exist, cannot be opened, or has no clip in it.
        """
        return scan_folder(folder, self.info, self.parse, self.suffixes)

    def clips_expected(self) -> frozenset[str]:
        """Return the names of all clips of the complete corpus; empty if they are unknown."""
        names = [name for _, name, _, _ in string.Formatter().parse(self.all_stems) if name]
        if not names:
            return frozenset()
        combinations = itertools.product(*(self._valid_codes[name] for name in names))
        stems = (self.all_stems.format(**dict(zip(names, codes, strict=True))) for codes in combinations)
        clips = (self.parse(Path(stem)) for stem in stems)
        return frozenset(clip.clip for clip in clips if isinstance(clip, Utterance))

    def parse(self, path: Path) -> Utterance | str:
        """Return the clip in a file of this name, or the reason to leave the file out; the file is not opened."""
        if path.name in self.other_files:
            return self.other_files[path.name]
        stem = self.corrections.get(path.stem, path.stem)
        stem = stem.lower() if self.lower_case else stem
        match = re.fullmatch(self.pattern, stem)
        if not match:
            return name_mismatch(self.info)
        fields: Fields = {**match.groupdict(), "stem": stem}
        if fields["emotion"] in self.unmapped_emotions:
            return "emotion outside the vocabulary"
        if fields["speaker"] is None:
            fields["speaker"] = path.parent.name
            if fields["speaker"] not in self.genders:
                return "no speaker, neither in the name nor as the folder"
        return self._invalid_code(fields) or self.exclude(path, fields) or self._utterance(path, fields)

    @cached_property
    def _valid_codes(self) -> dict[str, Collection[str]]:
        """Field -> its valid codes, without the fields that may have any code."""
        tables: dict[str, Collection[str]] = {
            "emotion": self.emotions,
            "speaker": self.genders,
            "intensity": self.intensities,
            "repetition": self.repetitions,
            **self.codes,
        }
        return {name: codes for name, codes in tables.items() if codes}

    def _invalid_code(self, fields: Fields) -> str | None:
        """Return a message for the first field with an unknown code, or None."""
        for name, code in fields.items():
            if name in self._valid_codes and code not in self._valid_codes[name]:
                return f"{name.replace('_', ' ')} {code} does not exist"
        return None

    def _utterance(self, path: Path, fields: Fields) -> Utterance:
        return Utterance(
            path=path,
            emotion=self.emotions[fields["emotion"]],
            speaker=fields["speaker"],
            sentence=self.sentence(fields),
            corpus=self.info.name,
            gender=self.genders.get(fields["speaker"], ""),
            intensity=self.intensities.get(fields.get("intensity", ""), ""),
            repetition=self.repetitions.get(fields.get("repetition", ""), 0),
            clip=self.clip(fields),
        )


def name_mismatch(info: CorpusInfo) -> str:
    """Return the reason to leave out a file whose name does not match the pattern of the corpus."""
    article = "an" if info.display_name[0] in "AEIOU" else "a"
    return f"not {article} {info.display_name} name"


def number_codes(first: int, last: int, digits: int = 2) -> tuple[str, ...]:
    """Return the numbers from first to last with leading zeros: ("01", "02", ...)."""
    return tuple(f"{number:0{digits}d}" for number in range(first, last + 1))


def speaker_genders(female: Collection[str] = (), male: Collection[str] = ()) -> dict[str, str]:
    """Return the table speaker -> gender, sorted by speaker."""
    return dict(sorted({**dict.fromkeys(male, "male"), **dict.fromkeys(female, "female")}.items()))
