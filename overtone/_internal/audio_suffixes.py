"""The suffixes of audio files, in lower case: of those that libsndfile decodes, and of those that need PyAV."""

LIBSNDFILE_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64", ".rf64"}
    | {".wave", ".bwf", ".bw64", ".mp2", ".mpga", ".mpa", ".ogv"}
)
FFMPEG_SUFFIXES = frozenset(
    {".m4a", ".m4b", ".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".webm", ".mka", ".mkv", ".wma", ".wmv", ".asf", ".avi"}
    | {".aac", ".amr", ".flv", ".mpg", ".mpeg", ".vob", ".m2ts", ".qta", ".qt", ".awb", ".3gpp", ".3gpp2", ".weba"}
    | {".m4r", ".f4a", ".f4v", ".spx"}
)
AUDIO_SUFFIXES = LIBSNDFILE_SUFFIXES | FFMPEG_SUFFIXES
