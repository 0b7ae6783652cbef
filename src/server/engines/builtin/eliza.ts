import type { IntentName } from './grammar.ts';

/** What ELIZA talks about; the other intents have answers. */
export type Topic = Extract<
  IntentName,
  | 'feel'
  | 'worried'
  | 'want'
  | 'unable'
  | 'activity'
  | 'family'
  | 'sleep'
  | 'dream'
  | 'food'
  | 'weather'
  | 'work'
  | 'plans'
  | 'past'
  | 'like'
  | 'remember'
  | 'think'
  | 'because'
  | 'hurt'
  | 'everyone'
  | 'always'
  | 'youAre'
  | 'whyDoYou'
  | 'whyCanI'
  | 'why'
  | 'iAmAge'
  | 'bored'
  | 'letUsTalk'
>;

/**
 * Replies in the manner of ELIZA. `{slot}` is what filled the grammar's slot, turned around; a reply whose slots were not
 * filled is not used, so each topic has some without.
 */
export const ELIZA: Readonly<Record<Topic, readonly string[]>> = {
  feel: [
    'Why do you think you feel {feeling}?',
    'How long have you been feeling {feeling}?',
    'What makes you feel {feeling}?',
    'You feel {feeling} because {reason}. Is that the only reason?',
    'I see. Do you often feel {feeling}?',
    'What would change how you feel?',
    'When did you begin to feel like this?',
  ],
  worried: [
    'What is it about {worry} that troubles you most?',
    'When did you start to worry about {worry}?',
    'You say that {reason}. What would happen if that were different?',
    'What would have to happen for you to stop worrying about {worry}?',
    'Have you talked to anybody about {worry}?',
    'What is the worst thing that could happen?',
    'What would help you to worry less?',
  ],
  want: [
    'What would it mean to you to {deed}?',
    'What keeps you from it, if you want to {deed}?',
    'Why do you want {wish}?',
    'What would you do if you had {wish}?',
    'Suppose you got {wish}. What then?',
    'How long have you wanted to {deed}?',
    'Is that something you have wanted for a long time?',
    'What is the first step?',
  ],
  unable: [
    'What do you think keeps you from it?',
    'Perhaps you could {deed} if you tried again. What is in the way?',
    'What would it be like if you could {deed}?',
    'Have you ever been able to {deed}?',
    'Who could help you with that?',
  ],
  activity: [
    'How do you feel while you are {activity}?',
    'Do you enjoy {activity}?',
    'Why are you {activity}?',
    'What does it do to you?',
    'How long will that go on?',
  ],
  family: [
    'Tell me more about your {person}.',
    'Your {person} {does}. How does that make you feel?',
    'How do you get along with your {person}?',
    'What else comes to your mind when you think of your {person}?',
    'Your {person} is {state}. What is that like for you?',
    'Your {people} {doing}. How do you feel about that?',
    'Tell me more about your {people}.',
    'Who else is close to you?',
    'Tell me more about the people in your life.',
    'How long has it been like that between you?',
  ],
  sleep: [
    'Sleep matters. What keeps you awake?',
    'How many hours do you usually sleep?',
    'What do you think about when you lie awake?',
    'How do you feel in the morning?',
    'What would help you to sleep well?',
  ],
  dream: [
    'What does that dream tell you?',
    'Do you often dream about {topic}?',
    'What do you think {topic} stands for in your dream?',
    'How did you feel when you woke up?',
    'Who else was in the dream?',
    'Do your dreams ever come true?',
  ],
  food: [
    'Was it good?',
    'I never eat, so tell me: what is so good about {food}?',
    'Who cooks in your home?',
    'What do you like to eat most of all?',
    'Do you prefer to eat alone or with others?',
    'Something simple, perhaps. What do you have in the kitchen?',
  ],
  weather: [
    'I have no window here. What do you do on a day like this?',
    'Does the weather change your mood?',
    'What weather do you like best?',
    'Then is this a day to go out, or to stay at home?',
  ],
  work: [
    'What do you like about it, and what not?',
    'How do you feel about that?',
    'What would you do if you did not have to work?',
    'Is it what you always wanted to do?',
    'What is it like in {place}?',
    'How do you prepare for {event}?',
    'Who do you talk to when it gets too much?',
  ],
  plans: [
    'Are you looking forward to that?',
    'What made you decide to {deed}?',
    'Who will be with you when you {deed}?',
    'What would happen if you did not?',
    'How long have you been planning that?',
    'What do you hope for?',
  ],
  past: [
    'How did you feel about that?',
    'What happened then?',
    'Would you do it again?',
    'Who was with you?',
    'Why does that come to your mind now?',
    'And what does it mean to you today?',
  ],
  like: [
    'What is it about {thing} that matters to you?',
    'When did you find that out about yourself?',
    'Tell me more about {thing}.',
    'Do your friends feel the same about {thing}?',
    'How often do you play {game}?',
    'What do you feel when you play {game}?',
    'What else do you feel strongly about?',
  ],
  remember: [
    'Do you often think of {topic}?',
    'What else does it bring to your mind?',
    'Why do you remember {topic} just now?',
    'Is that a happy memory?',
    'What was it like in those days?',
  ],
  think: [
    'Do you really think so?',
    'You think {opinion}. What makes you sure?',
    'Do other people also say that {opinion}?',
    'What if it were not true that {opinion}?',
    'And how do you feel about that?',
  ],
  because: [
    'Is that the real reason?',
    'So {reason}. Are there other reasons, too?',
    'What else could explain it?',
    'And if it were not so, what would you do then?',
    'I understand. How do you feel about it?',
  ],
  hurt: [
    'I am sorry to hear that. How long has it been like this?',
    'That sounds unpleasant. Have you talked to a doctor?',
    'Your {body} hurts. What happened?',
    'What helps you when it is bad?',
    'Then please take care of yourself. What could you leave for another day?',
  ],
  everyone: [
    'Can you think of anybody in particular?',
    'Really everybody? Who is different?',
    'When did you notice that first?',
    'Who do you have in mind?',
    'Perhaps it only feels like that. What do you think?',
  ],
  always: [
    'Can you give me an example?',
    'Always? When was the last time?',
    'What would you like to be different?',
    'Since when has it been like that?',
  ],
  youAre: [
    'What makes you think that I am {trait}?',
    'Perhaps you wish that I were {trait}.',
    'Does it matter to you what I am?',
    'We were talking about you, not about me.',
    'I do my best, for a stand-in without a language model. What do you expect of me?',
    'That may be. And how are you?',
  ],
  whyDoYou: [
    'I ask because I would like to hear more about you.',
    'What answer would please you most?',
    'Why do you think I do?',
    'I am a simple program: I ask questions so that you do the thinking.',
  ],
  whyCanI: [
    'What do you think yourself?',
    'What would you tell a friend who asked you that?',
    'Have you asked anybody else?',
    'I cannot decide that for you. Which way do you lean?',
  ],
  why: [
    'Why do you think?',
    'That is a good question. What comes to your mind first?',
    'Does that question interest you?',
    'I really do not know. What would you like the reason to be?',
  ],
  iAmAge: [
    'And how does that age feel to you?',
    'Do you feel older or younger than that?',
    'What was the best year so far?',
    'Will you celebrate with your friends?',
  ],
  bored: [
    'What did you enjoy when you were a child?',
    'I could tell you a story, if you ask me for one. Or tell me about your day.',
    'Let us begin with something simple: what did you eat today?',
    'What would you do if you had all the time in the world?',
  ],
  letUsTalk: [
    'I would like that. What comes to your mind about {topic}?',
    'Gladly. Where shall we begin?',
    'Good. What about {topic} interests you?',
    'I am listening. How was your day?',
  ],
};

/** For everything else. */
export const ANYTHING: readonly string[] = [
  'Please tell me more about that.',
  'How does that make you feel?',
  'I see. And what does that mean to you?',
  'Why do you say that just now?',
  'Go on, I am listening.',
  'What comes to your mind when you think about it?',
  'That is interesting. Can you give me an example?',
  'I am not sure that I understand you. Could you say it in other words?',
];

/** For a question nobody here can answer. */
export const QUESTION: readonly string[] = [
  'I cannot know that: I am only a stand-in without a language model. What do you think?',
  'That is more than I know. Why does it interest you?',
  'A real language model could tell you. What would you like the answer to be?',
  'I do not know. Ask me for the time, a sum, or a story, and I will do better.',
];

/** Comes back to something said before; `{earlier}` is that statement, turned around. */
export const EARLIER: readonly string[] = [
  'Earlier you said that {earlier}. Does that have to do with this?',
  'I am still thinking about what you told me: {earlier}. Tell me more about that.',
  'But before, you said that {earlier}. How is that now?',
];
