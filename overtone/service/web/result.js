// What was heard in a recording: the page of its timeline, which plays the sound that is still here; and every form.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { ask } from "./service.js";
import { html } from "./view.js";

export function Result({ recording, forms }) {
  return html`<section aria-label="Result">
    <${View} recording=${recording} />
    <${Downloads} recording=${recording} forms=${forms} />
  </section>`;
}

// The page stands in a frame, so that neither disturbs the other; it is as high as what stands in it.
function View({ recording }) {
  const frame = useRef(null), watched = useRef(null);
  const page = useMemo(() => withoutItsSound(recording.page), [recording.page]);
  const loaded = () => {
    const { contentDocument: inside } = frame.current;
    inside.querySelector("audio").src = recording.url;
    watched.current = new ResizeObserver(() => (frame.current.style.height = `${inside.body.scrollHeight}px`));
    watched.current.observe(inside.body);
  };
  useEffect(() => () => watched.current?.disconnect(), []);
  return html`<div class="frame">
    <iframe ref=${frame} title=${`Timeline of ${recording.name}`} srcdoc=${page} onLoad=${loaded}></iframe>
  </div>`;
}

// The service no longer has the sound, which the page would look for beside itself.
function withoutItsSound(page) {
  const tree = new DOMParser().parseFromString(page, "text/html");
  tree.querySelector("audio").removeAttribute("src");
  const told = tree.getElementById("data");
  told.textContent = JSON.stringify({ ...JSON.parse(told.textContent), beside: "" }).replaceAll("<", "\\u003c");
  return `<!doctype html>${tree.documentElement.outerHTML}`;
}

function Downloads({ recording, forms }) {
  const [error, setError] = useState("");
  const save = async ({ form, suffix }) => {
    setError("");
    try {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await ask(`v1/jobs/${recording.job}/timeline?format=${form}`, "blob"));
      link.download = recording.name.replace(/\.[^.]*$/, "") + suffix;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers begin late
    } catch (problem) {
      setError(problem.message);
    }
  };
  return html`<h2>Download</h2>
    <div class="row">
      ${forms.map((one) => html`<button disabled=${one.lacks} onClick=${() => save(one)}
        title=${one.lacks ? `The service lacks ${one.lacks} for it` : one.suffix}>${one.name}</button>`)}
    </div>
    <p class="soft">The page (HTML) plays the recording if both lie in one folder.</p>
    <p class="error" role="alert">${error}</p>`;
}
