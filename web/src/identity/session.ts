/** Who is signed in, and what the system says of itself. */
import { defineStore } from "pinia";
import { computed, ref, shallowRef } from "vue";
import { setZone } from "@/shared/format";
import { ApiError, http } from "@/shared/http";
import type { Account, Role, SystemInfo } from "@/shared/types";
import { holds } from "@/shared/words";

export const useSession = defineStore("session", () => {
  const account = shallowRef<Account | null>(null);
  const system = shallowRef<SystemInfo | null>(null);
  const asked = ref(false);
  const simulated = computed(() => system.value?.simulated ?? false);

  async function load(): Promise<boolean> {
    try {
      const got = await http.get<{ account: Account; system: SystemInfo }>("session");
      account.value = got.account;
      system.value = got.system;
      setZone(got.system.zone);
    } catch (error) {
      account.value = null;
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
    } finally {
      asked.value = true;
    }
    return account.value !== null;
  }

  async function signIn(username: string, password: string): Promise<void> {
    await http.post("session", { username, password });
    await load();
  }

  async function signOut(): Promise<void> {
    try {
      await http.remove("session");
    } finally {
      account.value = null;
    }
  }

  function may(role: Role): boolean {
    return account.value !== null && holds(account.value.role, role);
  }

  return { account, system, asked, simulated, load, signIn, signOut, may };
});
