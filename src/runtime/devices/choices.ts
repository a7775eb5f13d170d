/** What a run file may say under `device`. */
export const deviceChoices = ["cpu", "auto", "cuda", "webgpu"] as const;

export type DeviceChoice = (typeof deviceChoices)[number];
