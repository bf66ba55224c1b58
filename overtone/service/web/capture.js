// In the thread of the sound card: samples -> chunks of PCM16, and how loud each is.

const CHUNK_SAMPLES = 4096;

class Capture extends AudioWorkletProcessor {
  #chunk = new Int16Array(CHUNK_SAMPLES);
  #filled = 0;
  #loudest = 0;

  constructor() {
    super();
    this.port.onmessage = () => this.#give(true); // the last one, at the end
  }

  process([[samples]]) {
    for (const value of samples ?? []) {
      const within = Math.min(Math.max(value, -1), 1);
      this.#loudest = Math.max(this.#loudest, Math.abs(within));
      this.#chunk[this.#filled++] = Math.round(32767 * within);
      if (this.#filled === CHUNK_SAMPLES) this.#give(false);
    }
    return true;
  }

  #give(last) {
    const chunk = this.#chunk.slice(0, this.#filled).buffer;
    this.port.postMessage({ chunk, loudest: this.#loudest, last }, [chunk]);
    [this.#filled, this.#loudest] = [0, 0];
  }
}

registerProcessor("capture", Capture);
