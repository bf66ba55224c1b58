// The result of a recording: its timeline page, which plays the local audio, and downloads in all formats.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { connectCorrections, stored } from "./corrections.js";
import { Explain } from "./explain.js";
import { request } from "./service.js";
import { clock, html } from "./view.js";

const MAX_DIFFERENCE_S = 1; // of the duration of the same recording in another container

export function Result({ recording, formats, attach }) {
  const [audioS, setAudioS] = useState(recording.durationS);
  const isOther = recording.url && !recording.file && Math.abs(audioS - recording.durationS) > MAX_DIFFERENCE_S;
  return html`<section aria-label="Result">
    ${(!recording.url || isOther) && html`<${ChooseAudio} recording=${recording} attach=${attach} />`}
    ${isOther && html`<p class="error" role="alert">The chosen audio lasts ${clock(audioS)} and this recording${" "}
      ${clock(recording.durationS)}: it seems to be another one.</p>`}
    <${TimelinePage} key=${recording.url} recording=${recording} onDuration=${setAudioS} />
    ${recording.audio && !isOther && html`<${Explain} recording=${recording} />`}
    <${Downloads} recording=${recording} formats=${formats} />
  </section>`;
}

// For a recording of an earlier visit: the service has deleted its audio, and this page cannot open it by itself.
function ChooseAudio({ recording, attach }) {
  const input = useRef(null);
  return html`<div class="row">
    <button onClick=${() => input.current.click()}>Choose the audio to play it</button>
    <input ref=${input} type="file" hidden accept="audio/*,video/*" aria-label=${`Audio of ${recording.name}`}
      onChange=${({ target }) => target.files.length && attach(target.files[0])} />
    <span class="soft wide">The service has deleted the audio of ${recording.name}; it is still where you chose it from.</span>
  </div>`;
}

// The timeline page is in a frame, which separates its styles and scripts; the frame is as high as its content.
function TimelinePage({ recording, onDuration }) {
  const frame = useRef(null), observer = useRef(null);
  const page = useMemo(() => withoutAudio(recording.page), [recording.page]);
  const onLoad = () => {
    const { contentDocument: content, contentWindow: player } = frame.current;
    const audio = content.querySelector("audio");
    audio.addEventListener("loadedmetadata", () => onDuration(audio.duration));
    if (recording.url) audio.src = recording.url;
    else content.getElementById("play").disabled = true;
    if (recording.audio) player.setWaveformAudio(recording.audio, recording.channel);
    connectCorrections(frame.current, recording.job);
    const fit = () => frame.current && (frame.current.style.height = `${content.body.scrollHeight}px`);
    observer.current = new ResizeObserver(fit); // WebKit calls it once more while the frame is removed
    observer.current.observe(content.body);
  };
  useEffect(() => () => observer.current?.disconnect(), []);
  return html`<div class="frame">
    <iframe ref=${frame} title=${`Timeline of ${recording.name}`} srcdoc=${page} onLoad=${onLoad}></iframe>
  </div>`;
}

// Removes the reference to the audio file: the service has deleted it, and the frame gets the local file instead.
function withoutAudio(page) {
  const tree = new DOMParser().parseFromString(page, "text/html");
  tree.querySelector("audio").removeAttribute("src");
  const data = tree.getElementById("data");
  const changes = { audio_file: "", service: true };
  data.textContent = JSON.stringify({ ...JSON.parse(data.textContent), ...changes }).replaceAll("<", "\\u003c");
  return `<!doctype html>${tree.documentElement.outerHTML}`;
}

function Downloads({ recording, formats }) {
  const [error, setError] = useState("");
  const save = async ({ format, suffix }) => {
    setError("");
    try {
      await stored(recording.job);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await request(`v1/jobs/${recording.job}/timeline?format=${format}`, "blob"));
      link.download = recording.name.replace(/\.[^.]*$/, "") + suffix;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers start the download late
    } catch (problem) {
      setError(problem.message);
    }
  };
  return html`<h2>Download</h2>
    <div class="row">
      ${formats.map((format) => html`<button disabled=${format.missing} onClick=${() => save(format)}
        title=${format.missing ? `Not available: the service needs the package ${format.missing}` : format.suffix}>
        ${format.label}</button>`)}
    </div>
    <p class="soft">The page (HTML) plays the recording if both files are in the same folder.</p>
    <p class="error" role="alert">${error}</p>`;
}
