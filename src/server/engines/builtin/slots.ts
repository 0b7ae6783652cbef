import { readNumber } from './numbers.ts';
import { type Pattern, parsePattern } from './pattern.ts';
import type { Random } from './random.ts';
import { randomNumber, randomSum, readSum } from './sums.ts';

/**
 * What stands where a pattern has `{name}`. `open` slots take any words when they are matched (the list is what people
 * are expected to say, for the recogniser); those with `read` take what it reads, and nothing else.
 */
export type Slot =
  | { readonly words: Pattern; readonly open: boolean }
  | { readonly say: (random: Random) => string; readonly read: (words: readonly string[], from: number) => number };

const closed = (notation: string): Slot => ({ words: parsePattern(notation), open: false });
const open = (notation: string): Slot => ({ words: parsePattern(notation), open: true });

const numberLength = (words: readonly string[], from: number) => readNumber(words, from)?.length ?? 0;
const amount = (most: number): Slot => ({ say: (random) => randomNumber(random, most), read: numberLength });

export const slots: Readonly<Record<string, Slot>> = {
  number: amount(100_000),
  start: amount(50),
  count: amount(100),
  age: amount(90),
  sum: { say: randomSum, read: (words, from) => readSum(words, from)?.length ?? 0 },

  ask: closed(
    'can you [please]|could you [please]|would you [please]|will you|please|i want you to|i would like you to|i want to hear you',
  ),
  greeting: closed('hello [again|there]|hi [there]|hey [there]|good (morning|afternoon|evening|day)'),
  assistant: closed('computer|assistant|my friend|everybody'),

  name: open(
    'anna|maria|peter|john|james|mary|robert|michael|linda|david|sarah|daniel|emma|paul|laura|mark|julia|thomas|susan|george|alice|martin|karen|steven|nancy|kevin|helen|andrew|sandra|richard|carol|simon|diana|victor|rosa|max|lucy|ben|kate|tom',
  ),
  person: closed(
    'mother|father|brother|sister|wife|husband|son|daughter|grandmother|grandfather|uncle|aunt|cousin|family|friend|best friend|boss|neighbor|teacher|doctor|girlfriend|boyfriend|partner|baby|colleague|boy|girl|dog|cat',
  ),
  people: closed('parents|friends|children|neighbors|colleagues|brothers|sisters|boys|girls|dogs|cats'),
  feeling: open(
    '[very|so|really|a little|a bit|quite|too] (tired|sad|happy|angry|lonely|nervous|excited|bored|worried|afraid|stressed|great|good|fine|bad|sick|proud|confused|relaxed|hungry|thirsty|cold|warm|lost|lucky|upset|anxious|hopeful|disappointed|ashamed|guilty|jealous|grateful|calm|strong|weak|busy|free|lazy|old|young|better|worse|awful|wonderful|terrible|depressed|exhausted|scared|curious|surprised|alone|frustrated|sleepy|awake|helpless|guilty|sorry|ready|shy|brave)',
  ),
  worry: open(
    'my job|my health|my family|my future|the future|money|my exam|my children|my mother|my father|my work|the weather|the world|the news|the environment|the war|my friends|my house|my car|my trip|tomorrow|the meeting|school|the election|my marriage|my dog|growing old|being alone|what people think|my weight|the bills|the rent|the interview|everything|nothing special',
  ),
  topic: open(
    'my job|my work|my family|my mother|my father|my childhood|my school|my friends|my dog|my cat|my house|my garden|the sea|the mountains|the forest|the future|the past|the weather|the news|the moon|the stars|the world|music|books|movies|sports|football|food|cooking|money|love|life|death|travel|art|history|science|politics|computers|animals|birds|horses|holidays|christmas|the summer|the winter|my old teacher|a big house|a long journey|flying|falling|a train|an old friend|the city|the country|dreams|sleep|health|happiness|robots|space|games|the theater|poems|you|me|us',
  ),
  thing: open(
    'music|coffee|tea|chocolate|football|tennis|books|movies|my job|my work|my boss|the city|the country|the summer|the winter|the rain|the snow|the sea|cats|dogs|animals|flowers|cooking|dancing|reading|running|walking|swimming|traveling|singing|painting|games|school|mondays|weekends|long walks|good stories|loud people|old songs|classical music|computers|being alone|getting up early|my new phone|my neighbors|the color blue|spicy food|ice cream|your voice|this song|talking to you|waiting|winter mornings',
  ),
  wish: open(
    'a new job|a dog|a cat|a house|a new car|a holiday|a break|a friend|more time|more money|more sleep|some rest|some help|some advice|a cup of coffee|a glass of water|something to eat|a good book|a better life|peace|love|a big family|a garden|a quiet place|your help|an answer|nothing',
  ),
  deed: open(
    'go home|go to bed|go for a walk|go to the beach|go to the doctor|go to work|go shopping|go to the theater|go to school|sleep [well|more|better|longer]|eat [something|less|better]|drink less coffee|cook dinner|bake a cake|clean the house|clean the kitchen|wash the dishes|wash the car|do the laundry|call my mother|call my friends|call the doctor|visit my parents|visit my grandmother|visit my sister|visit london|talk to my boss|talk to my wife|talk to my husband|talk to someone|learn the piano|learn spanish|learn french|learn to swim|learn to dance|learn to drive|read a book|read more|write a letter|write a book|watch a movie|watch the game|listen to music|play the guitar|play tennis|play football|play chess|ride my bike|run a marathon|find a new job|find a friend|find my keys|change my life|change my job|move to another city|move to the country|buy a house|buy a car|buy a dog|sell my car|save money|spend less money|work in the garden|work from home|work less|work late|take a break|take a nap|take the train|take a holiday|get up early|get married|meet my friends|meet an old friend|make a plan|make new friends|make dinner|stay at home|stay in bed|travel around the world|travel to italy|travel to japan|see the sea|see the world|see the stars|paint the house|plant some trees|fix my bike|fix the roof|help my brother|help my neighbor|help people|have a party|have a baby|have a picnic|lose weight|stop smoking|stop worrying|forget it|relax|think|remember [it|anything]|decide|wait|start again|finish my work|finish school|pass the exam|speak to a crowd|be happy|be alone|be famous|be honest|be a better person|understand [him|her|them]|trust people',
  ),
  activity: open(
    'cooking|cleaning|sleeping|reading [a book]|writing [a book]|working [a lot|too much|from home]|waiting [for a friend|for the bus|for a call]|walking [in the park]|running|learning (spanish|french|the piano)|looking for (a job|a house|my keys)|planning (a trip|a party|my holiday)|thinking (about it|about my life|about you|too much)|trying to (sleep|relax|understand|work|lose weight|stop smoking)|getting (old|better|married|ready)|moving to another city|painting the house|watching (a movie|the news|the rain)|listening [to music|to you]|talking to (you|myself)|sitting (at home|in the kitchen|in the garden|in the car)|having (dinner|breakfast|lunch|a break|fun|problems)|making (dinner|plans)|playing (football|chess|the guitar)|going (home|to bed|to work|to the beach)|driving',
  ),
  reason: open(
    'i have too much work|i have no time|i have no money|i have an exam (tomorrow|next week)|i lost my job|i lost my keys|i got a new job|i did not sleep well|i slept too long|i am tired|i am alone|i am too old|i am afraid|i miss my family|i miss my friends|i love her|i love him|i need (money|help|time|a break)|my boss does not listen to me|my boss is always angry|my boss gave me more work|my mother is sick|my father is in hospital|my friend did not call me|my friends are far away|my daughter is getting married|my son left home|my children are noisy|my dog is sick|my dog died|my computer is slow|my back hurts|the company may close|the company is in trouble|the weather is (bad|good|nice)|the sun is shining|it is raining|it is cold|it is my birthday|it is too late|it is too hot|we had a fight|we won the game|they do not understand me|nobody (listens|calls me|helps me|understands me)|nobody told me|everything is so expensive|everything changes|people are (unkind|kind)|life is (hard|beautiful|short)|there is no time|the neighbors are too loud|she left me|he left me|he is always late|she never calls|you do not listen|i want to be happy|i said so|that is how i feel',
  ),
  does: open(
    'does not (listen to me|understand me|call me|help me|trust me|talk to me)|(never|always|often) (listens to me|understands me|calls me|helps me|worries about me|talks about money|comes late|works too much|forgets my birthday|tells me what to do|laughs at me)|(likes|loves|hates|wants|needs) (me|my cooking|music|football|dogs|cats|money|a new job|a new car|more time|to travel|to move|to help me)|lives (alone|far away|in london|in the country|with us|next door)|works (in a bank|in a hospital|in a factory|in an office|at night|too much)|left (me|us|home)|died [last year|two years ago|a long time ago]|called me (yesterday|today|last night)|came to visit [us] (yesterday|last week)|moved to (america|london|another city)|lost (a job|the keys|the game)|found a new job|got married [last year|last week]|plays (the piano|football|with the children)|thinks (i am lazy|i work too much|i should get married|i should find a job)|gave me (a book|flowers|advice|more work)|taught me (to cook|to swim|everything)|makes me (happy|sad|angry|laugh|nervous)|barks all night|sleeps all day|snores|cries a lot|cooks very well|broke my heart|had an accident|had a baby',
  ),
  doing: open(
    'do not (listen to me|understand me|call me|help me|trust me|talk to me)|(never|always|often) (listen to me|understand me|call me|help me|come late|work too much|forget my birthday|tell me what to do|laugh at me)|(like|love|hate|want|need) (me|my cooking|music|football|money|more time|to travel|to help me)|live (far away|in london|in the country|with us|next door)|left (me|us|home)|called me (yesterday|today|last night)|came to visit [us] (yesterday|last week)|moved to (america|london|another city)|make me (happy|sad|angry|laugh|nervous)|play all day|make so much noise',
  ),
  state: open(
    '[very|so|always|really|a bit] (sick|old|young|angry|sad|happy|tired|busy|kind|nice|strict|funny|strange|lazy|smart|proud|noisy|loud|lonely|far away|wonderful|difficult|patient|beautiful|friendly|quiet)|in hospital|a teacher|a doctor|a nurse|an engineer|a farmer|a good cook|in trouble|at home|at work|from (italy|spain|germany|france|ireland)|on holiday|my hero|getting (old|older|better|married)|dead|{number} years old',
  ),
  food: open(
    'pizza|pasta|rice|soup|salad|bread|cheese|fish|chicken|potatoes|vegetables|fruit|apples|an apple|a banana|eggs|two eggs|a sandwich|a cake|apple pie|cake|cookies|chocolate|ice cream|beans|steak|a burger|noodles|toast|coffee and cake|bread and butter|fish and chips|chicken soup|tomato soup|too much|nothing|a lot',
  ),
  meal: closed('breakfast|lunch|dinner|supper'),
  weather: closed(
    '[very|so|really|too|quite] (sunny|rainy|cloudy|windy|cold|hot|warm|cool|wet|dry|dark|foggy|nice|beautiful|bad|terrible|lovely)|raining [again|hard|all day]|snowing [again]|freezing|pouring',
  ),
  when: closed(
    'today|tomorrow|tonight|this (morning|afternoon|evening|week|weekend|month|summer|winter|year)|next (week|weekend|month|summer|year)|on (monday|tuesday|wednesday|thursday|friday|saturday|sunday)|later|soon',
  ),
  past: closed(
    'yesterday|last (night|week|weekend|month|summer|year)|this morning|today|two days ago|a week ago|a long time ago|years ago',
  ),
  did: open(
    'went (home|to the beach|to the doctor|for a walk|shopping|to a party|to the theater|to bed late|to school|to church|to the mountains)|met (my friends|an old friend|my boss|a nice woman|a nice man)|saw (a movie|a good play|my brother|my sister|my old teacher)|had (a party|a fight with my wife|a fight with my husband|a fight with my boss|a bad day|a good day|a long day|an accident|a cold|an idea)|bought (a car|a house|a new phone|flowers|a bike)|lost (my job|my keys|my phone|my way|money)|found (my keys|a new job|some money)|worked (all day|all night|late|too much|in the garden)|read a [good] book|watched (a movie|the game|the news)|played (football|tennis|chess|the guitar)|cooked (dinner|for my family|for my friends)|called my (mother|father|sister|brother|friend)|visited my (parents|grandmother|friend|brother)|moved to (another city|a new house)|broke my (leg|arm|phone)|won (the game|some money|a prize)|missed the (bus|train|meeting)|forgot (my keys|my phone|her birthday|the meeting)|quit my job|got (up early|up late|married|a new job|a letter|lost)|stayed (at home|in bed)|learned (a lot|to swim|to cook)',
  ),
  place: open(
    'london|paris|berlin|new york|the city|the country|a small town|a village|a big city|a small house|an old house|a flat|spain|italy|germany|france|america|england|ireland|japan|a bank|a hospital|an office|a school|a shop|a restaurant|a factory|a library|a hotel|the kitchen|the garden',
  ),
  event: closed(
    "an exam|a meeting|an interview|a party|a wedding|a doctor's appointment|a day off|a birthday party|a concert|a lesson|a deadline|guests|a lot of work|a lot to do|a long trip|no plans|a job interview|a football game",
  ),
  game: closed(
    'the (piano|guitar|violin|drums|flute)|football|tennis|chess|cards|basketball|golf|computer games|in a band|in a team',
  ),
  body: closed('head|back|leg|knee|foot|arm|neck|tooth|stomach|throat|hand|shoulder|heart'),
  opinion: open(
    'it is (too late|too hard|a good idea|a bad idea|not fair|my fault|important|possible|funny|true|over)|i am (right|wrong|too old|too slow|in love|getting old|getting better)|you are (right|wrong|very smart|not listening|funny|a good listener|a machine)|i should (go|sleep|work more|work less|call her|call him|find a new job|rest|stop)|people are (good|too busy|unkind|lonely)|life is (hard|beautiful|short|too fast|good)|the world is (a mess|getting better|getting worse|beautiful)|we should (talk|go|wait|try again|leave|get married)|nobody cares|everything will be (fine|better|different)|money is not everything|time goes too fast|computers are (stupid|useful|strange)|robots will take my job|she is (angry|right|wrong|beautiful)|he is (angry|right|wrong|a good man)|that is (strange|funny|sad|enough)|they do not like me',
  ),
  trait: open(
    '[very|so|really|too|not] (nice|kind|smart|funny|slow|fast|stupid|clever|helpful|rude|boring|strange|friendly|quiet|loud|good|great|wonderful|terrible|useless|right|wrong|annoying|polite|patient|sweet|listening)|a (robot|machine|computer|good listener|good friend|bad listener|genius|program)|my (best|only) friend|not (real|human|alive)',
  ),
  echo: open(
    'hello world|good morning everyone|one two three|the quick brown fox jumps over the lazy dog|the sun is shining today|i like apples and bananas|she sells sea shells|the cat sat on the mat|practice makes perfect|time flies like an arrow|all good things come to an end|the early bird gets the worm|peter has a small garden|my name is {name}|i love my {person}|{deed}|i {did} {past}|it is {weather} {when}|i feel {feeling} today|{opinion}|we are going to {deed} {when}|the {person} {does}|this is a test|i like {thing}|{food} and {food}|i am the best|there is no place like home|my {person} likes {food}',
  ),
  impossible: closed(
    "set a timer [for {count} minutes]|set an alarm [for {count} (minutes|o'clock)]|turn (on|off) the (light|lights|music|radio|heating)|play [some] (music|jazz|classical music|a song)|send a message [to my {person}]|call my {person}|order (a pizza|some food)|open the (door|window)|read the news|search the internet|book a (table|flight|room)|remind me to {deed}|write a poem|translate this|drive the car|make [me a cup of] coffee|see me|hear the music|show me a picture|buy some milk|speak (german|spanish|french|italian|louder|slower|more slowly|faster)|talk (louder|slower|faster)|sing [me] a song|play a game [with me]|find a restaurant",
  ),
  fact: open(
    'the capital of (france|spain|italy|germany|japan|england|america)|the president|the meaning of life|love|happiness|the moon|the biggest animal|the highest mountain|the best movie|the (price|color) of gold|the name of the (song|movie)|a computer|a robot|a language model|time|god|art|gravity',
  ),
};

/** What the slot called `name` stands for; a mistake in the grammar throws. */
export function slot(name: string): Slot {
  const found = slots[name];
  if (!found) throw new Error(`The grammar has no slot {${name}}.`);
  return found;
}
