/// The journey of each message: what happened to it, station by station, in text files that a
/// person can read, kept for a time and in bounded space. Knows files (`disk`) and nothing of mail
/// protocols: who sees a message pass says so in words. Start reading at
/// [longhand.journey.Journeys].
@NullMarked
package longhand.journey;

import org.jspecify.annotations.NullMarked;
