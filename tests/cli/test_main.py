import os
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import overtone
from overtone.cli import main

PROJECT = Path(__file__).resolve().parent.parent.parent
COMMAND = [sys.executable, "-m", "overtone.cli.main"]


@pytest.fixture
def shout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A command of its own, `shout`, which does what its argument says."""
    (tmp_path / "shouting.py").write_text(
        textwrap.dedent("""
            from overtone.errors import AudioError

            def shout_arguments(parser):
                parser.add_argument("what")
                parser.add_argument("--loud", action="store_true")

            def shout(args):
                if args.what == "error":
                    raise AudioError("clip\\n\\x1b[2J.wav: is broken")
                if args.what == "interrupt":
                    raise KeyboardInterrupt
                if args.what == "disk":
                    raise OSError(28, "No space left on device", "out.csv")
                if args.what == "nameless":
                    raise OSError(28, "No space left on device")
                if args.what == "extra":
                    import torch.no_such_part
                if args.what == "bug":
                    import no_such_module
                print(args.what.upper() if args.loud else args.what)
                return 7
        """)
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(main, "COMMANDS", (*main.COMMANDS, main.Command("shout", "shout", "shouting")))
    yield "shout"
    sys.modules.pop("shouting", None)


def test_one_row_adds_a_command(shout: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([shout, "--loud", "hello"]) == 7
    assert capsys.readouterr() == ("HELLO\n", "")


def test_an_overtone_error_is_one_line(shout: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([shout, "error"]) == 1
    assert capsys.readouterr() == ("", "overtone: clip\\n\\x1b[2J.wav: is broken\n")


def test_a_full_disk_is_one_line(shout: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([shout, "disk"]) == 1
    assert capsys.readouterr().err == "overtone: out.csv: No space left on device\n"


def test_an_error_of_several_lines_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("path,emotion\na.wav,happy\nb.wav,happy\n")
    assert main.main(["corpora", "verify", "manifest", str(tmp_path / "t.csv")]) == 1
    assert capsys.readouterr().err == (
        f"overtone: {tmp_path / 't.csv'}: 2 bad lines: line 2: no sound file 'a.wav' beside the table; "
        "line 3: no sound file 'b.wav' beside the table\n"
    )


def test_a_file_without_a_name_is_stdout(shout: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([shout, "nameless"]) == 1
    assert capsys.readouterr().err == "overtone: stdout: No space left on device\n"


def test_ctrl_c_is_130(shout: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([shout, "interrupt"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_missing_extra_says_what_to_install(
    shout: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main.main([shout, "extra"]) == 1
    assert "pip install 'overtone[train]'" in capsys.readouterr().err


def test_a_bug_is_not_hidden(shout: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        main.main([shout, "bug"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prdict"], "unknown command 'prdict'; did you mean 'predict'?"),
        (["--vrsion"], "unknown '--vrsion'; did you mean '--version'?"),
        (["predict"], "required: PATH"),
        (["predict", "a.wav", "--frm", "json"], "unknown '--frm'; did you mean '--format'?"),
        (["predict", "a.wav", "--outptu=x"], "unknown '--outptu'; did you mean '--output'?"),
        (["predict", "a.wav", "--format", "jsn"], "argument --format: unknown 'jsn'; did you mean 'json'?"),
        (["predict", "a.wav", "--threads", "0"], "whole number of at least 1, got '0'"),
        (["predict", "a.wav", "--threads", "two"], "whole number of at least 1, got 'two'"),
        (["predict", "a.wav", "--format"], "expected one argument"),
        (["corpora", "dwnload", "ravdess", "x"], "unknown 'dwnload'; did you mean 'download'?"),
        (["corpora", "verify", "ravdes", "x"], "unknown 'ravdes'; did you mean 'ravdess'?"),
        (["info", "surplus"], "unknown 'surplus'"),
    ],
)
def test_wrong_calls_exit_2_with_a_hint(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main.main(arguments)
    assert exit_.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def test_no_command_shows_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([]) == 2
    assert all(command.name in capsys.readouterr().err for command in main.COMMANDS[:1])


@pytest.mark.parametrize("name", [command.name for command in main.COMMANDS])
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main.main([name, "--help"])
    assert exit_.value.code == 0
    assert f"usage: overtone {name}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main.main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"overtone {overtone.__version__}\n"


def test_help_loads_no_command() -> None:
    program = "import sys\nfrom overtone.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    program += "assert not {'onnxruntime', 'soundfile', 'tqdm', 'torch', 'overtone.corpora'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=PROJECT, stdout=subprocess.DEVNULL)


@pytest.mark.skipif(os.name != "posix", reason="pipes and signals of POSIX")
def test_a_closed_pipe_is_quiet() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run([*COMMAND, "corpora"], stdout=write_end, stderr=subprocess.PIPE, cwd=PROJECT)
    os.close(write_end)
    assert done.returncode == 141
    assert done.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_stdout_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*COMMAND, "corpora"], stdout=full, stderr=subprocess.PIPE, cwd=PROJECT, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["overtone: stdout: No space left on device"]


@pytest.mark.skipif(os.name != "posix", reason="descriptors of POSIX")
def test_a_closed_stdout_is_one_line() -> None:
    done = shell("corpora >&-")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "overtone: stdout: is closed; send it to a file or to /dev/null\n"


@pytest.mark.skipif(os.name != "posix", reason="descriptors of POSIX")
def test_nothing_meant_for_a_closed_stderr_comes_out_at_stdout() -> None:
    done = shell("corpora verify manifest gone.csv 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


@pytest.mark.skipif(os.name != "posix", reason="descriptors of POSIX")
def test_both_closed_leaves_the_exit_code() -> None:
    assert shell("corpora >&- 2>&-").returncode == 1
    assert shell("corpora >/dev/null 2>&-").returncode == 0


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """What a shell makes of `overtone LINE`."""
    command = f"{shlex.join(COMMAND)} {line}"
    return subprocess.run(command, shell=True, capture_output=True, text=True, cwd=PROJECT)


@pytest.mark.skipif(os.name != "posix", reason="pipes and signals of POSIX")
def test_ctrl_c_in_a_real_process_leaves_no_traceback(tmp_path: Path) -> None:
    pipe = tmp_path / "clip.wav"
    os.mkfifo(pipe)  # reading it waits until somebody writes
    process = subprocess.Popen(
        [*COMMAND, "corpora", "verify", "manifest", str(pipe)],
        stderr=subprocess.PIPE,
        cwd=PROJECT,
        text=True,
        # A shell's background jobs ignore Ctrl-C, and so would their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    writer = opened_for_writing(pipe)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    os.close(writer)
    assert process.returncode == 130
    assert err == ""


def opened_for_writing(pipe: Path, patience_s: float = 30) -> int:
    """The descriptor of a named pipe, as soon as somebody reads from it."""
    end_s = time.monotonic() + patience_s
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            assert time.monotonic() < end_s, "nobody came to read"
            time.sleep(0.02)
