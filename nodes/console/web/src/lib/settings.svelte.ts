// What a person chose for this browser: language and colours. Kept in local storage, where there is one.

export type Language = 'en' | 'ru';
export type Theme = 'auto' | 'light' | 'dark';

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Private windows may forbid it: the choice then lasts as long as the page.
  }
}

function firstLanguage(): Language {
  const chosen = kept('language');
  if (chosen === 'en' || chosen === 'ru') return chosen;
  return navigator.languages.find((name) => /^(en|ru)\b/.test(name))?.startsWith('ru') ? 'ru' : 'en';
}

function firstTheme(): Theme {
  const chosen = kept('theme');
  return chosen === 'light' || chosen === 'dark' ? chosen : 'auto';
}

class Settings {
  language = $state<Language>(firstLanguage());
  theme = $state<Theme>(firstTheme());

  constructor() {
    this.show();
  }

  switchLanguage(): void {
    this.language = this.language === 'en' ? 'ru' : 'en';
    keep('language', this.language);
    this.show();
  }

  switchTheme(): void {
    const order: Record<Theme, Theme> = { auto: 'light', light: 'dark', dark: 'auto' };
    this.theme = order[this.theme];
    keep('theme', this.theme);
    this.show();
  }

  private show(): void {
    document.documentElement.lang = this.language;
    document.documentElement.dataset['theme'] = this.theme;
  }
}

export const settings = new Settings();
