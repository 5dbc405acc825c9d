// Which microphone, headset and loudspeaker there are, and which the person chose on this machine.

interface Chosen {
  /** Empty: whatever the machine takes itself. */
  microphone: string;
  headset: string;
  ringer: string;
  /** Noise and echo taken out by the browser; headsets that do it themselves sound better without. */
  processed: boolean;
}

const KEY = 'phone.devices';
const NOTHING: Chosen = { microphone: '', headset: '', ringer: '', processed: true };

function kept(): Chosen {
  try {
    return { ...NOTHING, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Chosen>) };
  } catch {
    return NOTHING;
  }
}

class Devices {
  microphones = $state.raw<MediaDeviceInfo[]>([]);
  speakers = $state.raw<MediaDeviceInfo[]>([]);
  chosen = $state.raw<Chosen>(kept());

  choose(change: Partial<Chosen>): void {
    this.chosen = { ...this.chosen, ...change };
    try {
      localStorage.setItem(KEY, JSON.stringify(this.chosen));
    } catch {
      // Private windows may forbid it: the choice then lasts as long as the page.
    }
  }

  /** Their names are told only to who may use the microphone. */
  async look(): Promise<void> {
    const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
    this.microphones = all.filter((one) => one.kind === 'audioinput' && one.deviceId !== '');
    this.speakers = all.filter((one) => one.kind === 'audiooutput' && one.deviceId !== '');
  }

  /** What the microphone is asked for. */
  wanted(): MediaStreamConstraints {
    const { microphone, processed } = this.chosen;
    const how = { echoCancellation: processed, noiseSuppression: processed, autoGainControl: processed };
    return { audio: microphone === '' ? how : { ...how, deviceId: microphone } };
  }
}

export const devices = new Devices();
