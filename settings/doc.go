// Package settings holds a person's profile on disk: the settings file they may
// edit, the secrets behind their identity, their contacts and the knocks already
// seen. It knows files and nothing of networks; who may use the files is decided
// by Lock.
//
//	settings.toml   what the person chose; comments and order are theirs
//	identity.json   seed and card secret
//	contacts.json   the people they know
//	knocks          calls already rung, so that none rings twice
//	card            the card that was given out last
//	seal.age        the key of the four above, if a passphrase is set (seal.go)
//	lock            held by the one process that owns the profile
//	relay/          key and certificate of a relay on this machine
//
// Every file is written whole or not at all, is readable by its owner only, and is
// made when it is first needed: reading a profile creates nothing.
package settings
