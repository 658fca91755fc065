"""Names of codecs as ffmpeg writes them, which is how people search for them, from what MediaInfo calls them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_BY_FORMAT = {
    "avc": "h264",
    "hevc": "hevc",
    "vvc": "vvc",
    "av1": "av1",
    "vp6": "vp6",
    "vp8": "vp8",
    "vp9": "vp9",
    "theora": "theora",
    "mpeg-4 visual": "mpeg4",
    "jpeg": "mjpeg",
    "jpeg 2000": "jpeg2000",
    "prores": "prores",
    "vc-1": "vc1",
    "vc-3": "dnxhd",
    "sorenson spark": "flv1",
    "h.263": "h263",
    "h.261": "h261",
    "dv": "dvvideo",
    "rgb": "rawvideo",
    "rgba": "rawvideo",
    "yuv": "rawvideo",
    "huffyuv": "huffyuv",
    "ffv1": "ffv1",
    "ac-3": "ac3",
    "e-ac-3": "eac3",
    "mlp fba": "truehd",
    "dts": "dts",
    "wma": "wmav2",
    "utf-8": "subrip",
    "timed text": "mov_text",
    "apple text": "mov_text",
    "pgs": "hdmv_pgs_subtitle",
    "vobsub": "dvd_subtitle",
    "s_text/utf8": "subrip",
    "midi": "midi",
    "mpeg-4 tts": "mov_text",
}
_BY_CODEC_ID = {
    "wmv1": "wmv1",
    "wmv2": "wmv2",
    "wmv3": "wmv3",
    "wvc1": "vc1",
    "mp43": "msmpeg4v3",
    "div3": "msmpeg4v3",
    "mp42": "msmpeg4v2",
    "mpg4": "msmpeg4v1",
    "cvid": "cinepak",
    "msvc": "msvideo1",
    "cram": "msvideo1",
    "svq1": "svq1",
    "svq3": "svq3",
    "iv32": "indeo3",
    "iv50": "indeo5",
    "mp4a": "aac",
    "s_text/ass": "ass",
    "s_text/ssa": "ssa",
    "s_text/webvtt": "webvtt",
    "tx3g": "mov_text",
    "160": "wmav1",
    "161": "wmav2",
    "162": "wmapro",
    "163": "wmalossless",
    "7": "pcm_mulaw",
    "6": "pcm_alaw",
    "2": "adpcm_ms",
    "11": "adpcm_ima_wav",
    "ulaw": "pcm_mulaw",
    "alaw": "pcm_alaw",
    "ima4": "adpcm_ima_qt",
}
_LAYERS = {"Layer 1": "mp1", "Layer 2": "mp2", "Layer 3": "mp3"}


def codec_name(track: Mapping[str, object], container: object) -> str:
    """Return the name of a track's codec, lower case; what MediaInfo calls it where no other name is known."""
    told = str(track.get("Format") or "")
    identifier = str(track.get("CodecID") or "").strip().lower()
    if told == "PCM":
        return _pcm(track, identifier)
    if told == "RLE":
        return "msrle" if container == "AVI" else "qtrle"
    if told == "MPEG Audio":
        return _LAYERS.get(str(track.get("Format_Profile")), "mp3")
    if told == "MPEG Video":
        return "mpeg1video" if "1" in str(track.get("Format_Version")) else "mpeg2video"
    if told == "AMR":
        return "amr_wb" if "wide" in str(track.get("Format_Profile")).lower() else "amr_nb"
    return _BY_CODEC_ID.get(identifier) or _BY_FORMAT.get(told.lower()) or re.sub(r"[^a-z0-9]+", "", told.lower())


def _pcm(track: Mapping[str, object], identifier: str) -> str:
    if identifier in ("6", "7", "ulaw", "alaw"):
        return _BY_CODEC_ID[identifier]
    bits = re.match(r"\d{1,2}", str(track.get("BitDepth") or "16"))
    size = int(bits[0]) if bits else 16
    settings = str(track.get("Format_Settings") or "")
    if size <= 8:
        return "pcm_s8" if "Signed" in settings and "Unsigned" not in settings else "pcm_u8"
    letter = "f" if "Float" in settings or str(track.get("Format_Profile")) == "Float" else "s"
    return f"pcm_{letter}{size}{'be' if 'Big' in settings else 'le'}"
