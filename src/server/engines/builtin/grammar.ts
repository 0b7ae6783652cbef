/**
 * Everything the built-in brain understands, once: the matcher is made from these patterns, and so are the sentences that
 * the recogniser learns to expect. `words`, `(this|that)`, `[perhaps]`, `{slot}`; no contractions (they are made and undone
 * elsewhere). `framed`: may stand between "okay" and "please". `weight`: how often it is said, 1 when left out.
 * `keywords`: words that hint at it in a sentence that follows no pattern.
 */
export type Intent = {
  readonly patterns: readonly string[];
  readonly framed?: boolean;
  readonly weight?: number;
  readonly keywords?: string;
};

export const grammar = {
  greeting: {
    weight: 3,
    patterns: ['{greeting} [{assistant}]', '{greeting} nice to (meet|see) you', 'nice to (meet|hear|see) you'],
  },
  farewell: {
    weight: 2,
    patterns: [
      '(goodbye|bye|bye bye|good night|see you [(later|soon|tomorrow)]|talk to you later|take care|so long)',
      '(thank you|thanks|okay|that is all) (goodbye|bye|bye bye|good night)',
      'i (have to|must|need to) (go|leave) [now] [bye|goodbye]',
      'i am (leaving|going) now',
      'have a (nice|good|great) (day|evening|night|weekend)',
    ],
  },
  thanks: {
    weight: 2,
    patterns: [
      '(thanks|thank you) [very much|so much|a lot]',
      'thanks (again|for (that|your help|the story|listening|nothing))',
      '(that was|that is) (very|really) (helpful|kind|nice) [thank you]',
      'well done',
      '(great|perfect|wonderful|excellent|okay) (thanks|thank you)',
    ],
  },
  yes: {
    weight: 3,
    patterns: [
      '(yes|yeah|yep|sure|of course|certainly|exactly|right|correct|okay|all right|alright|fine|absolutely|definitely)',
      'yes (please|i do|i am|it is|that is right|of course|i think so|i know|a lot|very much|you can|you are)',
      '(i think so|that is (right|true|correct)|i agree|why not|sounds good|good idea|i guess so|i believe so)',
    ],
  },
  no: {
    weight: 3,
    patterns: [
      '(no|nope|not really|never|of course not|not at all|no way|certainly not)',
      'no (thanks|thank you|i do not|i am not|it is not|that is wrong|not really|never|please do not)',
      '(i do not think so|that is (wrong|not true|not right)|i disagree|not now|not today|not yet|maybe later)',
    ],
  },
  maybe: {
    patterns: [
      '(maybe|perhaps|possibly|it depends|i am not sure|sometimes)',
      '(i do not know|who knows|hard to say)',
      'i have no idea',
    ],
  },
  stop: {
    weight: 3,
    framed: true,
    patterns: [
      '(stop|wait|enough|quiet|silence|cancel|hold on|be quiet|shut up|stop it|never mind)',
      '(stop|wait) (stop|wait|a moment|a minute|a second|now)',
      'stop (talking|counting|the story|speaking|that)',
      '(that is|it is) enough',
      'that is all',
      'hold on [a (moment|minute|second)]',
      '(one|just a) (moment|minute|second)',
      'let me (speak|talk|think|finish)',
    ],
  },
  goOn: {
    weight: 3,
    framed: true,
    patterns: [
      '(go on|continue|carry on|keep going|go ahead)',
      '[{ask}] (continue|go on with|finish) (the story|counting|your story|what you were saying|your answer)',
      '(tell me|i want to hear) (the rest|the end|more) [of (it|the story)]',
      'keep (counting|talking)',
      '(what|and what) (happened|happens|comes) (next|then)',
      '(and|and then|and what else|what else|tell me more|go on i am listening|say more)',
      'how does (it|the story) end',
      'i want to (know|hear) how it ends',
      'do not stop',
    ],
  },
  whereWereYou: {
    weight: 2,
    framed: true,
    patterns: [
      'where (were you|were we|did you stop|did we stop|did you get to)',
      'what were (you|we) (saying|talking about|going to say)',
      'what was the last thing you said',
      'i interrupted you',
      'sorry i interrupted [you] [go on|please continue]',
    ],
  },
  sayAgain: {
    weight: 2,
    framed: true,
    patterns: [
      '[{ask}] (say|repeat) (that|it) [again|one more time|once more]',
      '(what|pardon|sorry|excuse me|pardon me|come again|say again|again)',
      '(what did you say|what was that|i did not (hear|understand|get|catch) (that|you|it))',
      '(sorry|pardon) what (did you say|was that)',
      'i did not (hear|catch) what you said',
    ],
  },
  whatDidISay: {
    framed: true,
    patterns: [
      'what did i [just] (say|tell you|ask [you])',
      '(what was|repeat) my last (question|sentence)',
      'do you (remember|know) what i (said|told you)',
      'what (did|have) we (talk|talked) about',
      'what do you (know|remember) about me',
    ],
  },
  time: {
    weight: 6,
    framed: true,
    patterns: [
      'what time is it [now|right now]',
      'what is the [current|exact] time [now|right now]',
      'what time do we have',
      'how late is it',
      '(do you (know|have)|can you tell me|could you tell me|tell me|give me|i would like to know|i want to know) (the time|what time it is)',
      'the time',
    ],
  },
  date: {
    weight: 4,
    framed: true,
    patterns: [
      'what (is|was) the date [today]',
      "what is (today's|the current) date",
      'what date is (it|today) [today]',
      "(tell me|give me|do you know|can you tell me|could you tell me) (the date|today's date|what date it is) [today]",
      'what is the date (tomorrow|today)',
      '(what|which) (year|month) is it [now]',
      'what (year|month) do we have',
    ],
  },
  day: {
    weight: 4,
    framed: true,
    patterns: [
      '(what|which) day is (it|today|tomorrow) [today]',
      'what day (is it today|is it tomorrow|was yesterday|was it yesterday)',
      '(what|which) day of the week is (it|today|tomorrow)',
      'is (it|today) (monday|tuesday|wednesday|thursday|friday|saturday|sunday) [today]',
      '(tell me|do you know|can you tell me) (what|which) day it is [today]',
    ],
  },
  sum: {
    weight: 12,
    framed: true,
    patterns: [
      'what is {sum}',
      'what (does|do) {sum} make',
      'how much is {sum}',
      '{sum}',
      '[{ask}] (calculate|compute|work out|add up) {sum}',
      '(tell me|can you tell me|do you know|could you tell me) (what|how much) {sum} is',
      'what is the (result|answer|sum) of {sum}',
    ],
  },
  squareOf: {
    weight: 1,
    framed: true,
    patterns: ['(square|what is the square of) {number}', '[{ask}] square [the number] {number}'],
  },
  howManyIn: {
    framed: true,
    patterns: [
      'how many (seconds|minutes|hours|days|weeks|months) are [there] in a (minute|hour|day|week|month|year)',
      'how many (seconds|minutes|hours|days|weeks|months) (has a|does a) (minute|hour|day|week|month|year) [have]',
    ],
  },
  count: {
    weight: 8,
    framed: true,
    patterns: [
      '[{ask}] count [up] to {count} [again|slowly|for me]',
      '[{ask}] count [up] from {start} to {count}',
      'let us count to {count}',
      '(can|could) you count to {count}',
      'start counting [to {count}]',
      'count [for me|something]',
    ],
  },
  countDown: {
    weight: 3,
    framed: true,
    patterns: [
      '[{ask}] count (down|backwards) from {start} [to {count}]',
      '[{ask}] count from {start} (down|back) to {count}',
      '[{ask}] count backwards',
      '[do|give me] a countdown [from {start}]',
    ],
  },
  repeat: {
    weight: 5,
    framed: true,
    patterns: [
      '[{ask}] repeat after me {echo}',
      '[{ask}] (say|repeat) {echo}',
      'say after me {echo}',
      '[{ask}] repeat the (words|sentence) {echo}',
    ],
  },
  story: {
    keywords: 'story stories',
    weight: 6,
    framed: true,
    patterns: [
      '[{ask}] tell me a [long|short|nice|good|funny|new|bedtime|little] story [about {topic}]',
      'tell [me|us] (another|one more) [long] story',
      'i (want|would like) to hear a [long|nice|new] story',
      'do you know (a|any) [good|long] (story|stories)',
      '(can|could|will) you tell (a|me a|us a) [long|short|good] story',
      '(a story|story time|another story)',
      'talk [to me] (for a while|for a long time|for a minute)',
      'tell me something [long|interesting|nice|new|funny]',
      'read me (a story|something)',
      'entertain me',
    ],
  },
  joke: {
    keywords: 'joke jokes',
    weight: 2,
    framed: true,
    patterns: [
      '[{ask}] tell (me|us) (a|another|one more) [good|funny|short] joke',
      'do you know (a|any) [good] (joke|jokes)',
      'make me laugh',
      'say something funny',
      'a joke',
    ],
  },
  coin: {
    framed: true,
    patterns: [
      '[{ask}] (flip|toss|throw) a coin',
      'heads or tails',
      '[{ask}] (roll|throw) (a|the) (die|dice)',
      '(give me|tell me|think of|pick) a [random] number',
    ],
  },
  engines: {
    keywords: 'engines',
    weight: 4,
    framed: true,
    patterns: [
      '(which|what) engines [do you|are you|you] (run|running|use|using|have)',
      '(which|what) (model|models|software|program|system) (do you (use|run|have)|are you (using|running))',
      '(which|what) engines are running',
      'tell me [something] about (your engines|the engines|your system|yourself and your engines)',
      '(what|which) (speech|voice) (recognizer|recognition|engine|synthesizer) (do you|are you) (use|using|have)',
      'how (do you work|were you made|are you built|does this work)',
      'what are you (made of|running on)',
      'what (runs|is running) here',
    ],
  },
  speed: {
    keywords: 'latency',
    weight: 4,
    framed: true,
    patterns: [
      'how fast (was|were|is|are) (the last turn|that|you|the last answer|your last answer|your answer|your reply|it)',
      'how long did (that|the last turn|the last answer|your answer|it) take',
      'how (fast|quick|slow) are you',
      'what (is|was) (your|the) (latency|delay|response time|speed) [of the last turn]',
      '(how quickly|how fast) (do you|did you|can you) (answer|reply|respond|speak)',
      'tell me (your|the) (latency|delay|speed)',
      'why (are you|is this|is it) so (slow|fast)',
    ],
  },
  whoAreYou: {
    weight: 4,
    framed: true,
    patterns: [
      '(who|what) are you',
      'what is your name',
      'do you have a name',
      '(tell me|can you tell me) (who|what) you are',
      '(tell me something|tell me) about yourself',
      'introduce yourself',
      'are you (a robot|a computer|a human|a machine|a person|real|alive|an artificial intelligence|a language model|intelligent|a program|a man|a woman|human|eliza)',
      'am i talking to a (robot|computer|machine|human|person)',
      'who (made|built|created|programmed) you',
      'what should i call you',
    ],
  },
  whatCanYouDo: {
    weight: 4,
    framed: true,
    patterns: [
      'what can you do [for me]',
      'what (else can|do) you [know|do] [for me]',
      'what are you (able to do|good at|for)',
      '(how|what) can you help [me] [with]',
      '(help|help me|i need help|give me some help)',
      'what can i (say|ask [you]|do [here])',
      'what (can|should|could) we (do|talk about)',
      'what do you (understand|know)',
      'show me what you can do',
      'give me (an example|some examples)',
    ],
  },
  howAreYou: {
    weight: 3,
    patterns: [
      '[{greeting}] how are you [doing] [today|now|this morning]',
      'how (do you feel|is it going|are things|is everything|was your day) [today]',
      'are you (okay|all right|well|happy|tired|busy)',
      'and (you|how are you)',
      'what is (up|new)',
      'what are you doing [now|today]',
    ],
  },
  canYouHearMe: {
    weight: 3,
    framed: true,
    patterns: [
      'can you (hear|understand) (me|us) [now]',
      'do you (hear|understand) (me|us|english)',
      'are you (there|still there|listening|awake|ready|working|here) [to me]',
      '(is anybody|anybody) there',
      '(this is a test|testing|test)',
      '[testing] (testing|test) one two [three]',
      '(can you hear|do you hear) what i (say|am saying)',
    ],
  },
  aboutYou: {
    patterns: [
      'how old are you',
      'where (are you|do you live|are you from|do you come from)',
      'do you (like|love|hate|know|have|want|need|eat|remember) {thing}',
      'do you (sleep|dream|eat|think|feel [anything]|have feelings|have friends|have a family|like me|love me|ever sleep|believe in god|know me)',
      'what is your favorite (color|food|song|book|movie|animal|number|music)',
      'can you (think|feel|learn|see|dream|sing|dance|swim|read|write|see me)',
      'do you remember me',
    ],
  },
  myName: {
    weight: 2,
    patterns: [
      '[{greeting}] my name is {name}',
      '(call me|you can call me) {name}',
      '(hello|hi) i am {name}',
      'this is {name} speaking',
    ],
  },
  whatIsMyName: {
    framed: true,
    patterns: ['what is my name', 'do you (know|remember) my name', 'who am i', 'do you know who i am'],
  },
  weatherQuestion: {
    weight: 2,
    framed: true,
    patterns: [
      '(what is|how is) the weather [like] [today|tomorrow|outside|in {place}]',
      'what will the weather be [like] [today|tomorrow]',
      '(is it|will it be) {weather} [outside|today|tomorrow|in {place}]',
      'will it (rain|snow) [today|tomorrow|tonight|this weekend]',
      'do i need (an umbrella|a coat|a jacket)',
      'what is the temperature [outside|today]',
      'how (cold|warm|hot) is it [outside|today]',
    ],
  },
  cannot: {
    framed: true,
    patterns: ['{ask} {impossible}', '{impossible}', '(i want|i would like) you to {impossible}'],
  },
  fact: {
    patterns: [
      '(what|who) is {fact}',
      '(do you know|tell me|can you tell me) (what|who) {fact} is',
      '(what do you know|tell me something) about {topic}',
      '(can you|could you) explain {fact} [to me]',
      'where is (the sea|the moon|my phone|{place})',
      'how (far|big|old) is the (moon|sun|world|sea)',
    ],
  },
  letUsTalk: {
    patterns: [
      'let us talk [about {topic}]',
      '(can|could) we talk [about {topic}]',
      'i (want|would like|need) to talk [to you] [about {topic}]',
    ],
  },
  sorry: {
    patterns: ['[i am] [very|so] sorry [about that|for that]', '(excuse|forgive) me', 'my mistake', 'i apologize'],
  },
  praise: {
    patterns: [
      '(great|good|nice|cool|wonderful|excellent|perfect|very good|not bad|amazing|interesting|funny|wow|oh|really|i see)',
      'that (is|was) [very|really|so] (good|nice|great|cool|funny|interesting|beautiful|amazing|strange|impressive)',
      'i (like|love) (that|it|your voice|the story)',
      '(good job|what a nice story|you did well|very funny)',
    ],
  },

  // What ELIZA talks about. A statement's reply turns the slot's words around: "my job" becomes "your job".
  feel: {
    keywords: 'sad happy angry lonely tired nervous afraid depressed',
    weight: 8,
    patterns: [
      'i (feel|am feeling|am) {feeling} [today|now|tonight|right now|this morning|these days|all the time]',
      'i (feel|am|felt) {feeling} (because|when) {reason}',
      '(today|sometimes|often|lately) i (feel|am) {feeling}',
      'i have (felt|been feeling|been) {feeling} (lately|all week|for days|for a long time)',
      'i do not feel {feeling} [today]',
      'i was {feeling} {past}',
    ],
  },
  worried: {
    keywords: 'worried worry money future',
    weight: 4,
    patterns: [
      'i am [very|so|really|a bit] (worried|nervous|sad|happy|excited|angry|afraid|upset) (about|of) {worry} [because {reason}]',
      'i (worry|think) [a lot|too much|all the time|sometimes] about {worry}',
      '{worry} (worries|scares|bothers) me [because {reason}]',
      'i can not stop thinking about {worry}',
    ],
  },
  want: {
    weight: 5,
    patterns: [
      'i (want|need|would like|hope|would love|plan|have|decided) to {deed} [{when}|one day]',
      'i (want|need|would like|wish for) {wish} [because {reason}]',
      'i wish i (had {wish}|could {deed})',
      'i should [really] {deed} [more often]',
    ],
  },
  unable: {
    weight: 3,
    patterns: [
      'i can not {deed} [because {reason}]',
      'i could not {deed} {past}',
      'i do not know how to {deed}',
      'i am not able to {deed}',
      'it is hard to {deed}',
    ],
  },
  activity: {
    weight: 3,
    patterns: [
      'i am {activity} [now|right now|today|because {reason}]',
      'i have been {activity} [all day|lately]',
      'i was {activity} {past}',
    ],
  },
  family: {
    keywords:
      'mother father brother sister wife husband son daughter parents family mom dad grandmother grandfather children friend friends',
    weight: 7,
    patterns: [
      'my {person} {does}',
      'my {people} {doing}',
      'my {people} (are|were) {state}',
      'my {person} (is|was) {state}',
      'i (love|hate|miss|like|visited|called|trust|help) my {person} [very much|a lot|because {reason}]',
      'i (have|had) (a|one|an old|a little|a big) {person}',
      'i have (two|three|many|no) {people}',
      'i (love|hate|miss|visited|called) my {people} [very much|a lot|because {reason}]',
      'i had a fight with my {person} [{past}|because {reason}]',
      'it is my {person}',
      'my {person} and i (talk|fight|laugh|argue) [a lot|too much|every day]',
      'i am (angry|happy|worried) with my {person}',
    ],
  },
  sleep: {
    keywords: 'sleep slept insomnia',
    weight: 3,
    patterns: [
      'i (did not|could not|can not|do not) sleep [very|so] [well|much|at all|last night|at night]',
      'i slept [very|really|quite] (well|badly|late|too long|for {count} hours) [last night]',
      'i (woke|wake) up [too|very] (early|late|in the middle of the night|at {count})',
      'i (go|went) to bed [too|very] (late|early) [last night]',
      'i am [so|very] (sleepy|tired) because i did not sleep',
      'i need more sleep',
    ],
  },
  dream: {
    keywords: 'dream dreams dreamed nightmare',
    weight: 3,
    patterns: [
      'i (dreamed|dream) [often|last night|again] (about|of) {topic} [last night|again]',
      'i had a [bad|strange|nice|wonderful|terrible] dream [about {topic}|last night]',
      'in my dream i (was {activity}|{did})',
      'i (never|often|always) (dream|remember my dreams)',
    ],
  },
  food: {
    keywords: 'eat food dinner lunch breakfast hungry cooking',
    weight: 4,
    patterns: [
      'i (ate|had|cooked|made) {food} [for {meal}|{past}]',
      'i (like|love|hate|want|do not like|could eat) {food} [and {food}|very much]',
      'i am [very|so] hungry',
      'i am (eating|cooking|making|having) {food} [for {meal}|now|tonight]',
      'my favorite food is {food}',
      'i (have not|did not) (eat|eaten|have) {meal} [yet|today]',
      'what should i (eat|cook|make|have) for {meal} [tonight|today|tomorrow]',
    ],
  },
  weather: {
    keywords: 'rain snow sunshine weather',
    weight: 3,
    patterns: [
      'it is {weather} [today|outside|here|again|now]',
      'the weather is {weather} [today|here|again]',
      'it (rained|snowed) [all day|all night|yesterday|this morning]',
      'the (sun|moon) is shining [today|again]',
      'i (like|love|hate) (the rain|the snow|the sun|this weather|the heat|the cold)',
      'what a (lovely|terrible|beautiful|nice) day',
    ],
  },
  work: {
    keywords: 'job work boss school office colleagues',
    weight: 4,
    patterns: [
      'i (work|study|live) (in|at|near) {place}',
      'my (job|work|school|boss) is [very|so|too|really|not] (hard|boring|interesting|stressful|good|difficult|easy|fun|important|fine)',
      'i (love|hate|like|lost|quit|changed|started) my [new] (job|work) [{past}|because {reason}]',
      'i (work|worked) too (much|hard|late)',
      'i have [{event}] {when}',
      'i have {event} [{when}]',
      'i am a (teacher|doctor|nurse|student|farmer|driver|cook|writer|musician|programmer|lawyer|engineer|scientist)',
      'i had a [very] (hard|long|good|bad|busy|terrible|nice|great|strange) (day|week|night) [at work|at school]',
      'i do not (like|enjoy|understand) my (job|work|boss|school)',
    ],
  },
  plans: {
    weight: 4,
    patterns: [
      '{when} i (will|am going to|want to|have to|plan to|may) {deed}',
      'i (will|am going to|have to) {deed} [{when}]',
      'we (will|are going to|want to|have to) {deed} [{when}]',
      'we are getting married {when}',
      'i am going to {place} {when}',
    ],
  },
  past: {
    weight: 4,
    patterns: [
      'i {did} [{past}]',
      '{past} i {did}',
      'we {did} [{past}]',
      'i {did} because {reason}',
      'i have never been to {place}',
      'i was born in {place}',
      'i grew up in {place}',
    ],
  },
  like: {
    weight: 4,
    patterns: [
      'i (like|love|enjoy|hate|miss|prefer) {thing} [very much|a lot|because {reason}]',
      'i do not (like|love|enjoy|want|need) {thing} [because {reason}]',
      'i am (tired of|interested in|good at|bad at|in love with) {thing}',
      'my favorite (color|song|book|movie|animal) is {thing}',
      'i (play|am playing|used to play) {game}',
    ],
  },
  remember: {
    weight: 2,
    patterns: [
      'i [still|often|sometimes|always] (remember|think (of|about)|forget|miss) {topic}',
      'i was just thinking about {topic}',
      'when i was (a child|young|little|at school) i {did}',
      'it reminds me of {topic}',
    ],
  },
  think: {
    weight: 3,
    patterns: [
      'i (think|believe|know|feel|guess|suppose|hope) [that] {opinion}',
      'i do not (think|believe|know) [that] {opinion}',
      'in my opinion {opinion}',
    ],
  },
  because: { weight: 3, patterns: ['[yes|no|well|just] because {reason}', 'that is because {reason}'] },
  hurt: {
    keywords: 'pain hurts sick doctor hospital',
    weight: 2,
    patterns: [
      'my {body} hurts [{when}|a lot|again|very much]',
      'i have (a headache|a cold|a fever|pain|no energy|a problem|problems)',
      'i am (ill|in pain|not well)',
      'i was at the (doctor|hospital) {past}',
      'i have (a pain in my {body}|a broken {body})',
    ],
  },
  everyone: {
    keywords: 'everyone everybody nobody',
    patterns: [
      '(everyone|everybody|nobody|people) (hates|likes|understands|needs|ignores|loves|helps) me',
      '(everyone|everybody|nobody|no one) is {state}',
      'people are [so|too|always] (busy|rude|kind|strange|unkind)',
      '(everyone|everybody|nobody) {does}',
      '(people|they) {doing}',
    ],
  },
  always: {
    patterns: [
      'it is always the same',
      'you (always|never) (say that|ask questions|answer my questions|listen|repeat yourself|understand me)',
      'i always {deed}',
      'i never {deed}',
    ],
  },
  youAre: {
    weight: 2,
    patterns: [
      'you are {trait}',
      'you sound (strange|funny|nice|sad|tired|like a robot|good)',
      'i (like|love|hate|do not like|do not understand|trust|miss) you',
      'you do not (understand|listen|know) [me|anything]',
      'you (did not|do not) answer my question',
    ],
  },
  whyDoYou: {
    patterns: [
      'why (do you|are you) (ask|asking|say that|asking me that|laughing|repeating me|here)',
      'why do you not {deed}',
      'why (did|do) you say that',
      'what do you (mean|think) [about {topic}]',
      'why do you want to know',
    ],
  },
  whyCanI: {
    patterns: [
      'why can i not {deed}',
      'why (am i|do i feel) [so|always] {feeling}',
      'why does nobody (listen to|help|understand|call) me',
      'should i {deed}',
      'what should i do [about {worry}|now]',
    ],
  },
  why: { patterns: ['[but] why [not|is that]', 'how (so|come)', 'what for'] },
  iAmAge: {
    patterns: [
      'i am {age} years old',
      'i (turned|will be) {age} {when}',
      'i will be {age} [years old] soon',
      'it is my birthday [today|tomorrow]',
    ],
  },
  bored: {
    patterns: [
      'i am bored',
      'i (have|know) nothing to (do|say)',
      'i do not know what to (do|say|talk about)',
      'nothing (happened|is new|special)',
      'let us (play a game|do something)',
    ],
  },
} as const satisfies Record<string, Intent>;

export type IntentName = keyof typeof grammar;

/** What may stand before and after a framed sentence. */
export const FRAME = {
  before: '(okay|so|now|well|hey|please|hello|hi|um|yes|no|and|but|then|okay now|excuse me)',
  after: '(please|now|then|for me|thanks|thank you|again)',
} as const;
