import type { AvatarView } from '../protocol/messages.ts';
import { AvatarCrop } from './avatar-crop.ts';
import {
  addAvatar,
  chooseAvatar,
  type ListedAvatar,
  listAvatars,
  type Refused,
  removeAvatar,
} from './avatar-requests.ts';
import { closeOnBackdrop } from './details.ts';
import { element, make } from './dom.ts';

/** The dialog in which the user chooses a face, or brings one of their own. */
export class AvatarPicker {
  readonly #button = element<HTMLButtonElement>('open-avatars');
  readonly #dialog = element<HTMLDialogElement>('avatars');
  readonly #list = element('avatar-list');
  readonly #problem = element('avatar-problem');
  readonly #busy = element('avatar-busy');
  readonly #making = element<HTMLProgressElement>('avatar-making');
  readonly #choosing = element('avatar-choosing');
  readonly #cropping = element('avatar-cropping');
  readonly #crop = new AvatarCrop();
  readonly #onChange: (avatar: AvatarView) => void;
  #avatars: readonly ListedAvatar[] = [];
  #shown: AvatarView | undefined;
  #picture: File | undefined;

  /** `onChange` hears of the face that was chosen before the server tells all pages. */
  constructor(onChange: (avatar: AvatarView) => void) {
    this.#onChange = onChange;
    this.#button.addEventListener('click', () => void this.#open());
    closeOnBackdrop(this.#dialog);
    this.#dialog.addEventListener('close', () => this.#endCrop());
    const input = element<HTMLInputElement>('avatar-file');
    input.addEventListener('change', () => {
      const file = input.files?.[0];
      input.value = '';
      if (file) void this.#add(file);
    });
    this.#takeDropped();
    element('crop-use').addEventListener('click', () => void this.#useCrop());
    element('crop-back').addEventListener('click', () => this.#endCrop());
  }

  /** The face that is shown; undefined where faces are off. */
  show(avatar: AvatarView | undefined): void {
    const other = avatar?.id !== this.#shown?.id;
    this.#shown = avatar;
    this.#button.hidden = !avatar;
    if (!avatar) this.#dialog.close();
    this.#showMaking();
    if (!other || !avatar || !this.#dialog.open) return;
    if (this.#avatars.some(({ id }) => id === avatar.id)) this.#showList();
    else void this.#load();
  }

  async #open(): Promise<void> {
    this.#say(undefined);
    this.#dialog.showModal();
    await this.#load();
  }

  async #load(): Promise<void> {
    const answer = await listAvatars();
    if (!answer.ok) return this.#say(answer.message);
    this.#avatars = answer.avatars;
    this.#showList();
  }

  async #choose(id: string): Promise<void> {
    this.#say(undefined);
    this.#took(await chooseAvatar(id));
  }

  async #remove(avatar: ListedAvatar): Promise<void> {
    if (!confirm(`Remove the face "${avatar.name}" and all that was made of it?`)) return;
    const answer = await removeAvatar(avatar.id);
    if (!answer.ok) return this.#say(answer.message);
    await this.#load();
    element('avatar-upload').focus();
  }

  async #add(file: File): Promise<void> {
    this.#say(undefined);
    this.#setBusy(true);
    const answer = await addAvatar(file, nameOf(file));
    this.#setBusy(false);
    if (!answer.ok && answer.choose) this.#beginCrop(file, answer, answer.choose);
    else this.#took(answer);
  }

  #beginCrop(file: File, { message }: Refused, choose: NonNullable<Refused['choose']>): void {
    this.#picture = file;
    this.#choosing.hidden = true;
    this.#cropping.hidden = false;
    this.#crop.open(file, choose.picture, choose.faces);
    this.#say(message);
    element('crop-square').focus();
  }

  #endCrop(): void {
    if (this.#cropping.hidden) return;
    this.#crop.close();
    this.#picture = undefined;
    this.#cropping.hidden = true;
    this.#choosing.hidden = false;
    this.#say(undefined);
    element('avatar-upload').focus();
  }

  async #useCrop(): Promise<void> {
    const file = this.#picture;
    if (!file) return;
    this.#setBusy(true);
    const answer = await addAvatar(file, nameOf(file), this.#crop.crop);
    this.#setBusy(false);
    if (answer.ok) this.#endCrop();
    this.#took(answer);
  }

  #took(answer: ({ ok: true } & { avatar: AvatarView }) | ({ ok: false } & Refused)): void {
    if (!answer.ok) return this.#say(answer.message);
    this.#onChange(answer.avatar);
    this.show(answer.avatar);
  }

  #takeDropped(): void {
    const zone = element('avatar-upload');
    const take = (event: Event, data: DataTransfer | null) => {
      const file = [...(data?.files ?? [])][0];
      if (!file || !this.#cropping.hidden) return;
      event.preventDefault();
      void this.#add(file);
    };
    this.#dialog.addEventListener('dragover', (event) => {
      event.preventDefault();
      zone.classList.add('drop');
    });
    for (const end of ['dragleave', 'drop']) this.#dialog.addEventListener(end, () => zone.classList.remove('drop'));
    this.#dialog.addEventListener('drop', (event) => {
      event.preventDefault();
      take(event, event.dataTransfer);
    });
    document.addEventListener('paste', (event) => this.#dialog.open && take(event, event.clipboardData));
  }

  #showList(): void {
    this.#list.replaceChildren(...this.#avatars.map((avatar) => this.#card(avatar)));
  }

  #card(avatar: ListedAvatar): HTMLElement {
    const card = make('li', 'avatar-card');
    const choose = make('button', 'avatar-choice');
    choose.type = 'button';
    choose.setAttribute('aria-pressed', String(avatar.id === this.#shown?.id));
    const picture = make('img', '');
    picture.src = avatar.picture;
    picture.alt = '';
    choose.append(picture, make('span', '', avatar.name));
    choose.addEventListener('click', () => void this.#choose(avatar.id));
    card.append(choose);
    if (avatar.preset) return card;
    const remove = make('button', 'avatar-remove', '×');
    remove.type = 'button';
    remove.setAttribute('aria-label', `Remove ${avatar.name}`);
    remove.addEventListener('click', () => void this.#remove(avatar));
    card.append(remove);
    return card;
  }

  #showMaking(): void {
    const { making, problem } = this.#shown ?? {};
    this.#making.parentElement!.hidden = making === undefined;
    if (making !== undefined) this.#making.value = making;
    const note = element('avatar-note');
    note.hidden = !problem;
    note.textContent = problem ?? '';
  }

  #setBusy(busy: boolean): void {
    this.#busy.hidden = !busy;
    for (const id of ['crop-use', 'crop-back']) element<HTMLButtonElement>(id).disabled = busy;
  }

  #say(problem: string | undefined): void {
    this.#problem.hidden = problem === undefined;
    this.#problem.textContent = problem ?? '';
  }
}

function nameOf(file: File): string {
  return file.name.replace(/\.[^.]*$/, '').slice(0, 60) || 'My face';
}
