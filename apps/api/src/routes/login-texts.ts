import type { Language } from "@trivault/core";

interface Texts {
  readonly refused: string;
  readonly wrongCode: string;
  locked(minutes: number): string;
  readonly expired: string;
  readonly again: string;
  readonly noUsers: string;
  readonly failed: string;
}

/** Why a login did not succeed; the same words whether or not there is such a user. */
export const LOGIN_TEXTS: Readonly<Record<Language, Texts>> = {
  en: {
    refused: "User and password do not fit. Try again.",
    wrongCode: "This code is not right, or was used already. Wait for the next one, or take a recovery code.",
    locked: (minutes) =>
      `Too many attempts have failed. Try again in ${minutes === 1 ? "one minute" : `${minutes} minutes`}.`,
    expired: "This form is too old. Here is a new one.",
    again: "The code came too late. Begin with your password again.",
    noUsers: "There are no users yet. On the server, `npm run backup:user:add` adds one.",
    failed: "The login could not be checked. Backups go on; the log of the API says why.",
  },
  fr: {
    refused: "L’utilisateur et le mot de passe ne correspondent pas. Réessayez.",
    wrongCode: "Ce code est faux ou a déjà servi. Attendez le suivant, ou prenez un code de secours.",
    locked: (minutes) =>
      `Trop de tentatives ont échoué. Réessayez dans ${minutes === 1 ? "une minute" : `${minutes} minutes`}.`,
    expired: "Ce formulaire est trop ancien. En voici un nouveau.",
    again: "Le code est arrivé trop tard. Recommencez par votre mot de passe.",
    noUsers: "Il n’y a encore aucun utilisateur. Sur le serveur, `npm run backup:user:add` en ajoute un.",
    failed: "La connexion n’a pas pu être vérifiée. Les sauvegardes continuent ; le journal de l’API dit pourquoi.",
  },
};
