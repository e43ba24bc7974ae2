//! Offer and answer, as they act on the peer ([RFC 9429 §5](https://www.rfc-editor.org/rfc/rfc9429#section-5)).

use rtckit_crypto::fingerprint::HashAlgorithm;
use rtckit_ice::{Credentials, Role as IceRole};
use rtckit_proto::{Instant, Random as _};
use rtckit_sdp::attribute::{Direction, Setup as SetupAttribute};
use rtckit_sdp::{Session, offer_answer};

use crate::association::MidAllocator;
use crate::config::Setup;
use crate::error::Error;
use crate::event::{Event, TransceiverId};
use crate::jsep::{
    self, Description, Media, MidExtension, RtpSection, Section, TransportParameters,
    offered_codecs,
};
use crate::peer::Peer;
use crate::secure_transport::{DtlsRole, Terms};
use crate::signaling::{Agreement, Owner, Proposal};
use crate::state::{IceCandidate, SdpType, SessionDescription, SignalingState};
use crate::transceiver::Receiving;

/// The header extension id we offer for mids.
const MID_EXTENSION_ID: u8 = 1;

impl Peer {
    /// Proposes a session with every transceiver there is
    /// ([RFC 9429 §5.2](https://www.rfc-editor.org/rfc/rfc9429#section-5.2)). Nothing changes until it is applied.
    pub fn create_offer(&mut self) -> Result<SessionDescription, Error> {
        let states = [SignalingState::Stable, SignalingState::HaveLocalOffer];
        self.signaling.require("create_offer", &states)?;
        let owners = self.offered_owners();
        let setup = match self.config.setup {
            Setup::ActPass => SetupAttribute::ActPass,
            Setup::Active => SetupAttribute::Active,
            Setup::Passive => SetupAttribute::Passive,
        };
        let mut mids = MidAllocator::new(&self.transceivers, self.signaling.agreement());
        let sections: Vec<_> = owners
            .iter()
            .enumerate()
            .map(|(index, owner)| self.offered_section(index, *owner, setup, &mut mids))
            .collect();
        let used = |section: &&Section| !section.rejected && !section.mid.is_empty();
        let bundle = sections.iter().filter(used);
        let bundle = bundle.map(|section| section.mid.clone()).collect();
        let offer = self.created(SdpType::Offer, bundle, sections, owners)?;
        debug_assert!(
            Session::parse(&offer.sdp).is_ok_and(|offer| self.check_follows(&offer).is_ok())
        );
        Ok(offer)
    }

    /// Answers the remote offer that is pending
    /// ([RFC 9429 §5.3](https://www.rfc-editor.org/rfc/rfc9429#section-5.3)). Nothing changes until it is applied.
    pub fn create_answer(&mut self) -> Result<SessionDescription, Error> {
        self.signaling
            .require("create_answer", &[SignalingState::HaveRemoteOffer])?;
        let Some(offer) = self.signaling.remote_offer().cloned() else {
            return Err(Error::Closed);
        };
        let setup = self.answer_setup(&offer.description);
        let mut sections = Vec::with_capacity(offer.owners.len());
        for (owner, offered) in offer.owners.iter().zip(&offer.description.sections) {
            let local = match owner {
                Owner::Transceiver(id) => self
                    .transceiver(*id)
                    .map(|own| own.local(&self.stream_id, &self.cname)),
                Owner::Nobody => None,
            };
            let mut section = jsep::answer_section(&offer.description, offered, local.as_ref());
            if !section.rejected {
                section.transport = Some(self.local_transport(setup));
            }
            sections.push(section);
        }
        let in_use = |mid: &str| {
            let mut sections = sections.iter();
            sections.any(|section| section.mid == mid && !section.rejected)
        };
        let bundle = offer_answer::answer_bundle(&offer.description.bundle, in_use);
        let bundle = bundle.into_iter().map(str::to_owned).collect();
        self.created(SdpType::Answer, bundle, sections, offer.owners)
    }

    /// Applies what [`create_offer`](Self::create_offer) or [`create_answer`](Self::create_answer) made last.
    /// Gathering begins.
    pub fn set_local_description(
        &mut self,
        now: Instant,
        description: SessionDescription,
    ) -> Result<(), Error> {
        match description.kind {
            SdpType::Offer => {
                let states = [SignalingState::Stable, SignalingState::HaveLocalOffer];
                self.signaling
                    .require("set_local_description(offer)", &states)?;
                let offer = self.signaling.take_created(&description)?;
                self.name_transceivers(&offer);
                self.signaling.have_local_offer(offer);
                self.transport.offer();
            }
            SdpType::Answer => {
                self.signaling.require(
                    "set_local_description(answer)",
                    &[SignalingState::HaveRemoteOffer],
                )?;
                let answer = self.signaling.take_created(&description)?;
                let Some(offer) = self.signaling.remote_offer().cloned() else {
                    return Err(Error::Closed);
                };
                self.name_transceivers(&answer);
                self.settle(
                    now,
                    answer.description,
                    offer.description,
                    answer.owners,
                    false,
                )?;
            }
        }
        self.signaling_changed();
        self.start_gathering();
        Ok(())
    }

    /// Applies what the other side sent. Transceivers added before the first offer are matched with its sections, kind
    /// by kind, in order; sections left over get a transceiver of their own, which receives.
    pub fn set_remote_description(
        &mut self,
        now: Instant,
        description: SessionDescription,
    ) -> Result<(), Error> {
        match description.kind {
            SdpType::Offer => {
                self.signaling
                    .require("set_remote_description(offer)", &[SignalingState::Stable])?;
                let session = Session::parse(&description.sdp)?;
                let offer = jsep::read(&session)?;
                self.check_offer(&session, &offer)?;
                let owners = self.associate(&offer);
                if self.restarts_ice(&offer) {
                    self.restart_ice(now);
                }
                self.signaling.have_remote_offer(Proposal {
                    description: offer,
                    owners,
                });
            }
            SdpType::Answer => {
                self.signaling.require(
                    "set_remote_description(answer)",
                    &[SignalingState::HaveLocalOffer],
                )?;
                let session = Session::parse(&description.sdp)?;
                let mut answer = jsep::read(&session)?;
                let Some(offer) = self.signaling.local_offer().cloned() else {
                    return Err(Error::Closed);
                };
                jsep::check_answer(&offer.description, &session)?;
                for (answered, offered) in
                    answer.sections.iter_mut().zip(&offer.description.sections)
                {
                    answered.mid.clone_from(&offered.mid);
                }
                self.settle(now, offer.description, answer, offer.owners, true)?;
            }
        }
        self.signaling_changed();
        self.pump(now);
        Ok(())
    }

    fn created(
        &mut self,
        kind: SdpType,
        bundle: Vec<String>,
        sections: Vec<Section>,
        owners: Vec<Owner>,
    ) -> Result<SessionDescription, Error> {
        let description = Description {
            session_id: self.signaling.session_id,
            session_version: self.signaling.next_version,
            bundle,
            sections,
            ice_lite: false,
        };
        let text = self.describe(&description)?;
        let created = SessionDescription { kind, sdp: text };
        self.signaling.created(
            created.clone(),
            Proposal {
                description,
                owners,
            },
        );
        Ok(created)
    }

    /// The SDP of a description of ours with the candidates known by now.
    pub(crate) fn describe(&self, description: &Description) -> Result<String, Error> {
        let mut description = description.clone();
        let mid = description
            .transport_section()
            .map(|section| section.mid.clone());
        if let Some(section) = description
            .sections
            .iter_mut()
            .find(|section| Some(&section.mid) == mid.as_ref())
        {
            section.candidates.clone_from(&self.local_candidates);
            section.end_of_candidates = self.gathering_complete;
        }
        jsep::write(&description)
            .map_err(|_| Error::unacceptable("it repeats text that no SDP line can hold"))
    }

    fn offered_section(
        &self,
        index: usize,
        owner: Owner,
        setup: SetupAttribute,
        mids: &mut MidAllocator,
    ) -> Section {
        let Some(transceiver) = (match owner {
            Owner::Transceiver(id) => self.transceiver(id),
            Owner::Nobody => None,
        }) else {
            return self.refused_section(index);
        };
        let negotiated = transceiver.codec.as_ref();
        let codecs = negotiated.map_or_else(
            || offered_codecs(transceiver.kind),
            |codec| vec![codec.receive.clone()],
        );
        let local = transceiver.local(&self.stream_id, &self.cname);
        let (ssrcs, rtx_ssrcs) = local.announced(transceiver.direction, &codecs);
        Section {
            mid: transceiver.mid.clone().unwrap_or_else(|| mids.next()),
            media: Media::Rtp(RtpSection {
                kind: transceiver.kind,
                protocol: rtckit_sdp::protocol::UDP_TLS_RTP_SAVPF.to_owned(),
                direction: transceiver.direction,
                formats: jsep::formats(&codecs),
                codecs,
                mid_extension: Some(MidExtension {
                    id: transceiver
                        .mid_extension
                        .map_or(MID_EXTENSION_ID, |extension| extension.id),
                    direction: Direction::SendRecv,
                }),
                msid: transceiver.direction.sends().then_some(local.msid),
                ssrcs,
                rtx_ssrcs,
                cname: Some(local.cname),
            }),
            rejected: false,
            rtcp_mux: true,
            rtcp_rsize: true,
            transport: Some(self.local_transport(setup)),
            candidates: Vec::new(),
            end_of_candidates: false,
        }
    }

    /// The section at `index` as it was when it was refused.
    fn refused_section(&self, index: usize) -> Section {
        let before = self
            .signaling
            .agreement()
            .and_then(|agreement| agreement.local.sections.get(index));
        before.cloned().unwrap_or_else(|| Section {
            mid: String::new(),
            media: Media::Other {
                kind: "audio".into(),
                protocol: "RTP/AVP".into(),
                formats: vec!["0".into()],
            },
            rejected: true,
            rtcp_mux: false,
            rtcp_rsize: false,
            transport: None,
            candidates: Vec::new(),
            end_of_candidates: false,
        })
    }

    fn local_transport(&self, setup: SetupAttribute) -> TransportParameters {
        let credentials = self.transport.ice.local_credentials();
        TransportParameters {
            ufrag: credentials.ufrag().to_owned(),
            pwd: credentials.password().to_owned(),
            fingerprints: vec![self.config.identity.fingerprint(HashAlgorithm::Sha256)],
            setup: Some(setup),
        }
    }

    /// The DTLS role an answer of ours takes ([RFC 8842 §5.3](https://www.rfc-editor.org/rfc/rfc8842#section-5.3)). Once
    /// there is an association it keeps its roles.
    fn answer_setup(&self, offer: &Description) -> SetupAttribute {
        if let Some(role) = self.transport.dtls_role() {
            return match role {
                DtlsRole::Client => SetupAttribute::Active,
                DtlsRole::Server => SetupAttribute::Passive,
            };
        }
        let offered = offer
            .transport_section()
            .and_then(|section| section.transport.as_ref()?.setup);
        let preferred = match self.config.setup {
            Setup::Passive => SetupAttribute::Passive,
            Setup::Active | Setup::ActPass => SetupAttribute::Active,
        };
        // "Nobody opens yet" is not for WebRTC: as before, it leaves the choice.
        let offered = offered.filter(|setup| *setup != SetupAttribute::HoldConn);
        offer_answer::answer_setup(offered, preferred)
    }

    /// What an offer must have before anything of it is used.
    fn check_offer(&self, session: &Session<'_>, offer: &Description) -> Result<(), Error> {
        self.check_follows(session)?;
        let in_use = offer
            .sections
            .iter()
            .any(|section| !section.rejected && section.rtp().is_some());
        match offer
            .transport_section()
            .and_then(|section| section.transport.as_ref())
        {
            Some(transport) => {
                check_transport(transport)?;
                self.transport
                    .check_association(&transport.fingerprints, None)
            }
            None if in_use => Err(Error::unacceptable(
                "a=ice-ufrag and a=ice-pwd are required (RFC 8839 §5.4)",
            )),
            None => Ok(()),
        }
    }

    /// Whether an offer of either side may follow what was agreed on.
    fn check_follows(&self, offer: &Session<'_>) -> Result<(), Error> {
        self.signaling.agreement().map_or(Ok(()), |agreed| {
            jsep::check_reoffer(&agreed.local, &agreed.remote, offer)
        })
    }

    /// Whether an offer begins a new ICE session: its credentials are not those agreed on
    /// ([RFC 8839 §4.4.1.1.1](https://www.rfc-editor.org/rfc/rfc8839#section-4.4.1.1.1)).
    fn restarts_ice(&self, offer: &Description) -> bool {
        let ufrag = |description: &Description| {
            let transport = description.transport_section()?.transport.as_ref()?;
            Some((transport.ufrag.clone(), transport.pwd.clone()))
        };
        let agreed = self
            .signaling
            .agreement()
            .and_then(|agreement| ufrag(&agreement.remote));
        agreed.is_some_and(|agreed| ufrag(offer).is_some_and(|offered| offered != agreed))
    }

    /// Offer and answer are complete: everything they say takes effect.
    fn settle(
        &mut self,
        now: Instant,
        local: Description,
        remote: Description,
        owners: Vec<Owner>,
        we_offered: bool,
    ) -> Result<(), Error> {
        self.start_transport(now, &local, &remote, we_offered)?;
        for ((owner, local), remote) in owners.iter().zip(&local.sections).zip(&remote.sections) {
            if let Owner::Transceiver(id) = owner {
                self.settle_section(*id, local, remote, we_offered);
            }
        }
        let trickled: Vec<_> = remote
            .transport_section()
            .into_iter()
            .flat_map(remote_candidates)
            .collect();
        let early = core::mem::take(&mut self.early_candidates);
        self.retire(&owners);
        self.signaling.settle(Agreement {
            local,
            remote,
            owners,
            we_offered,
        });
        for candidate in trickled.into_iter().chain(early) {
            // A description's candidates we cannot read are candidates we do not use.
            let _ = self.apply_remote_candidate(now, &candidate);
        }
        self.pump(now);
        Ok(())
    }

    fn start_transport(
        &mut self,
        now: Instant,
        local: &Description,
        remote: &Description,
        we_offered: bool,
    ) -> Result<(), Error> {
        let Some(theirs) = remote
            .transport_section()
            .and_then(|section| section.transport.as_ref())
        else {
            return Ok(());
        };
        check_transport(theirs)?;
        let credentials = Credentials::new(&theirs.ufrag, &theirs.pwd)
            .map_err(|_| Error::unacceptable("a=ice-ufrag or a=ice-pwd is too short or has other characters than RFC 8839 §5.4 allows"))?;
        let ours = local
            .transport_section()
            .and_then(|section| section.transport.as_ref()?.setup);
        let answered = if we_offered { theirs.setup } else { ours };
        let answerer_is_client = offer_answer::offerer_opens(answered) != Some(true);
        let dtls_role = if answerer_is_client == we_offered {
            DtlsRole::Server
        } else {
            DtlsRole::Client
        };
        let ice_role = if we_offered || remote.ice_lite {
            IceRole::Controlling
        } else {
            IceRole::Controlled
        };
        self.transport
            .check_association(&theirs.fingerprints, answered.map(|_| dtls_role))?;
        let terms = Terms {
            ice_role,
            remote: credentials,
            remote_lite: remote.ice_lite,
            dtls_role,
            fingerprints: theirs.fingerprints.clone(),
        };
        self.transport.start(now, &self.config, terms)
    }

    fn settle_section(
        &mut self,
        id: TransceiverId,
        local: &Section,
        remote: &Section,
        we_offered: bool,
    ) {
        let answer = if we_offered { remote } else { local };
        let (Some(answered), Some(ours), Some(theirs)) = (answer.rtp(), local.rtp(), remote.rtp())
        else {
            return;
        };
        let Some(transceiver) = self
            .transceivers
            .iter_mut()
            .find(|transceiver| transceiver.id == id)
        else {
            return;
        };
        let usable = if local.rejected || remote.rejected {
            None
        } else {
            jsep::agreed_codec(answered, ours, theirs)
        };
        let Some(codec) = usable else {
            transceiver.current_direction = Some(Direction::Inactive);
            transceiver.receiver = None;
            return;
        };
        let agreed = if we_offered {
            answered.direction.reversed()
        } else {
            answered.direction
        };
        let direction = transceiver.direction.intersection(agreed);
        let began_to_receive = direction.receives()
            && !transceiver
                .current_direction
                .is_some_and(Direction::receives);
        transceiver.current_direction = Some(direction);
        transceiver.mid_extension = match we_offered {
            // an answer keeps the ids of its offer (RFC 8285 §6)
            true => answered
                .mid_extension
                .map(MidExtension::reversed)
                .filter(|answered| {
                    ours.mid_extension
                        .is_some_and(|offered| offered.id == answered.id)
                }),
            false => answered.mid_extension,
        };
        transceiver.codec = Some(codec);
        transceiver.rtcp_rsize = answer.rtcp_rsize;
        if direction.receives() {
            let receiver = transceiver.receiver.get_or_insert_with(Receiving::new);
            receiver.announced.clone_from(&theirs.ssrcs);
            receiver.announced_rtx.clone_from(&theirs.rtx_ssrcs);
        } else {
            transceiver.receiver = None;
        }
        // A stream that pauses is kept: one that began anew under the same SSRC and SRTP key would use sequence numbers,
        // and so the keystream, a second time.
        if transceiver.sender.is_some() {
            transceiver.renumber_sender();
        } else if direction.sends() {
            let seed = self.random.next_u64();
            transceiver.sender = transceiver.new_sender(&self.config, seed);
        }
        if began_to_receive {
            self.events.push_back(Event::Track(id));
        }
    }
}

/// A transport we can use names a certificate.
fn check_transport(transport: &TransportParameters) -> Result<(), Error> {
    if transport.fingerprints.is_empty() {
        return Err(Error::unacceptable(
            "an a=fingerprint under a hash function we know (sha-256 and up) is required (RFC 8827 §6.5)",
        ));
    }
    Ok(())
}

fn remote_candidates(section: &Section) -> Vec<IceCandidate> {
    let candidate = |text: String| IceCandidate {
        candidate: text,
        sdp_mid: None,
        username_fragment: None,
    };
    let end = section.end_of_candidates.then(|| candidate(String::new()));
    section
        .candidates
        .iter()
        .cloned()
        .map(candidate)
        .chain(end)
        .collect()
}
