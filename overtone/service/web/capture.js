// Audio worklet: samples -> chunks of 16-bit PCM, each with its peak level.

const CHUNK_SAMPLES = 4096;

class Capture extends AudioWorkletProcessor {
  #chunk = new Int16Array(CHUNK_SAMPLES);
  #filled = 0;
  #peak = 0;

  constructor() {
    super();
    this.port.onmessage = () => this.#send(true); // the recording ends: send the rest
  }

  process([[samples]]) {
    for (const value of samples ?? []) {
      const clipped = Math.min(Math.max(value, -1), 1);
      this.#peak = Math.max(this.#peak, Math.abs(clipped));
      this.#chunk[this.#filled++] = Math.round(32767 * clipped);
      if (this.#filled === CHUNK_SAMPLES) this.#send(false);
    }
    return true;
  }

  #send(last) {
    const chunk = this.#chunk.slice(0, this.#filled).buffer;
    this.port.postMessage({ chunk, peak: this.#peak, last }, [chunk]);
    [this.#filled, this.#peak] = [0, 0];
  }
}

registerProcessor("capture", Capture);
