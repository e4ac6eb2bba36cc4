/** Long work of the server: started, asked after, and told about until it is over. */

import { api } from "./api.js";

const POLL = 250; // ms

/**
 * @typedef {object} Job
 * @property {number} job @property {string} kind
 * @property {"waiting" | "running" | "done" | "failed" | "cancelled"} state
 * @property {number} done @property {number} total  0 while it is not known
 * @property {any} result @property {string | null} error
 */

/** @param {Job} job */
export const isOver = ({ state }) => state !== "waiting" && state !== "running";

/**
 * @param {string} kind @param {object} fields @param {(state: Job) => void} tell
 * @returns {Promise<Job>} as it ended
 */
export async function follow(kind, fields, tell) {
  const { job } = await api.startJob(kind, fields);
  return followed(job, tell);
}

/** @param {number} job  that was started @param {(state: Job) => void} tell @returns {Promise<Job>} */
export async function followed(job, tell) {
  for (;;) {
    const state = await api.job(job);
    tell(state);
    if (isOver(state)) return state;
    await new Promise((done) => setTimeout(done, POLL));
  }
}
