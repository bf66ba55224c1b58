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
COMMAND = [sys.executable, "-m", "overtone"]


@pytest.fixture
def shout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of an additional command, which does what its argument says."""
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


def test_a_row_in_the_table_adds_a_command(shout: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([shout, "--loud", "hello"]) == 7
    assert capsys.readouterr() == ("HELLO\n", "")


def test_an_overtone_error_is_one_line(shout: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([shout, "error"]) == 1
    assert capsys.readouterr() == ("", "overtone: clip\\n\\x1b[2J.wav: is broken\n")


def test_a_full_disk_is_one_line(shout: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([shout, "disk"]) == 1
    assert capsys.readouterr().err == "overtone: out.csv: No space left on device\n"


def test_an_error_message_of_several_lines_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("path,emotion\na.wav,happy\nb.wav,happy\n")
    assert main.main(["corpora", "verify", "manifest", str(tmp_path / "t.csv")]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"overtone: {tmp_path / 't.csv'}: ")
    assert err.count("\n") == 1
    assert err.index("line 2: ") < err.index("a.wav") < err.index("; line 3: ") < err.index("b.wav")


def test_an_error_without_a_file_name_is_about_stdout(shout: str, capsys: pytest.CaptureFixture[str]) -> None:
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
def test_wrong_usage_exits_with_2_and_a_hint(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main.main(arguments)
    assert exit_.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def test_without_a_command_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([]) == 2
    err = capsys.readouterr().err
    assert all(command.name in err for command in main.COMMANDS)


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


def test_help_imports_no_command() -> None:
    program = "import sys\nfrom overtone.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    program += "assert not {'onnxruntime', 'soundfile', 'tqdm', 'torch', 'overtone.corpora'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=PROJECT, stdout=subprocess.DEVNULL)


@pytest.mark.skipif(os.name != "posix", reason="pipes and signals of POSIX")
def test_a_broken_pipe_prints_nothing() -> None:
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
    done = run_in_shell("corpora >&-")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "overtone: stdout: is closed; redirect it to a file or to /dev/null\n"


@pytest.mark.skipif(os.name != "posix", reason="descriptors of POSIX")
def test_messages_for_a_closed_stderr_do_not_appear_on_stdout() -> None:
    done = run_in_shell("corpora verify manifest gone.csv 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


@pytest.mark.skipif(os.name != "posix", reason="descriptors of POSIX")
def test_the_exit_code_if_stdout_and_stderr_are_closed() -> None:
    assert run_in_shell("corpora >&- 2>&-").returncode == 1
    assert run_in_shell("corpora >/dev/null 2>&-").returncode == 0


def run_in_shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run `overtone LINE` in a shell."""
    return subprocess.run(f"{shlex.join(COMMAND)} {line}", shell=True, capture_output=True, text=True, cwd=PROJECT)


@pytest.mark.skipif(os.name != "posix", reason="pipes and signals of POSIX")
def test_ctrl_c_in_a_real_process_leaves_no_traceback(tmp_path: Path) -> None:
    pipe = tmp_path / "clip.wav"
    os.mkfifo(pipe)  # reading it blocks until another process writes
    process = subprocess.Popen(
        [*COMMAND, "corpora", "verify", "manifest", str(pipe)],
        stderr=subprocess.PIPE,
        cwd=PROJECT,
        text=True,
        # Background jobs of a shell ignore Ctrl-C, and so do their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    writer = open_for_writing(pipe)
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=10)
    except subprocess.TimeoutExpired:  # a signal just before the blocking call is noticed only after it
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    os.close(writer)
    assert process.returncode == 130
    assert err == ""


def open_for_writing(pipe: Path, timeout_s: float = 30) -> int:
    """Return a descriptor of a named pipe as soon as another process reads from it."""
    end_s = time.monotonic() + timeout_s
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            assert time.monotonic() < end_s, "no process opened the pipe for reading"
            time.sleep(0.02)
